//! Where the log is: a running `koe up` by its data directory, or a nats-server by its address.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::error::ErrorKind as Refusal;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, FromArgMatches};
use serde::Deserialize;
use service::NatsOptions;

use crate::limits::ADDRESSES_BYTES_MAX;

/// What `koe up` writes into its data directory. Stored: never change.
const ADDRESSES: &str = "addresses.json";
/// Where `koe up` keeps its data when nobody says.
const DATA: &str = "data";

/// Where the log is.
#[derive(Clone, Debug)]
pub(crate) struct Source(Given);

#[derive(Clone, Debug, clap::Args)]
struct Given {
    /// Data directory of the running `koe up`, which says where its nats-server is; instead of --nats. When nothing
    /// says where NATS is and `./data` belongs to a running `koe up`, that is taken.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    #[command(flatten)]
    nats: NatsOptions,
}

// clap's own `conflicts_with` refuses --data wherever KOE_NATS happens to be set, too.
impl FromArgMatches for Source {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let typed = |id| matches.value_source(id) == Some(ValueSource::CommandLine);
        if typed("data") && (typed("nats") || typed("nats_token")) {
            let why = "--data says where its nats-server is: leave out --nats and --nats-token\n";
            return Err(clap::Error::raw(Refusal::ArgumentConflict, why));
        }
        let mut given = Given::from_arg_matches(matches)?;
        let unsaid = matches.value_source("nats") == Some(ValueSource::DefaultValue);
        if unsaid && given.data.is_none() && Path::new(DATA).join(ADDRESSES).is_file() {
            given.data = Some(PathBuf::from(DATA));
        }
        Ok(Self(given))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Source {
    fn augment_args(command: Command) -> Command {
        Given::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Given::augment_args_for_update(command)
    }
}

/// The part of `addresses.json` that is needed here; a later release may say more.
#[derive(Deserialize)]
struct Addresses {
    nats: String,
    #[serde(default)]
    nats_token: Option<String>,
}

impl Source {
    /// The nats-server to connect to.
    pub(crate) fn nats(&self) -> anyhow::Result<NatsOptions> {
        match &self.0.data {
            Some(data) => from_data(data),
            None => Ok(self.0.nats.clone()),
        }
    }
}

fn from_data(data: &Path) -> anyhow::Result<NatsOptions> {
    let path = data.join(ADDRESSES);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            bail!("{} is not there: is `koe up --data {}` running?", path.display(), data.display())
        }
        Err(error) => return Err(error).with_context(|| format!("{} cannot be read", path.display())),
    };
    let mut text = String::new();
    let read = file.take(ADDRESSES_BYTES_MAX).read_to_string(&mut text);
    read.with_context(|| format!("{} cannot be read", path.display()))?;
    let Addresses { nats, nats_token } = serde_json::from_str(&text)
        .with_context(|| format!("{} is not what `koe up` writes: start that again", path.display()))?;
    Ok(NatsOptions { nats, nats_token: nats_token.filter(|token| !token.is_empty()), ..NatsOptions::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> anyhow::Result<NatsOptions> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(ADDRESSES), text).unwrap();
        from_data(dir.path())
    }

    #[test]
    fn the_data_directory_leads_to_the_running_instance() {
        let addresses =
            r#"{"http":"127.0.0.1:8080","metrics":"127.0.0.1:9464","nats":"127.0.0.1:4222","nats_token":"t"}"#;
        let nats = of(addresses).unwrap();
        assert_eq!((nats.nats.as_str(), nats.nats_token.as_deref()), ("127.0.0.1:4222", Some("t")));
        assert_eq!(of(r#"{"nats":"nats://[::1]:1"}"#).unwrap().nats_token, None);
    }

    #[test]
    fn a_directory_of_nobody_says_what_to_do_in_one_line() {
        let dir = tempfile::tempdir().unwrap();
        let message = format!("{:#}", from_data(dir.path()).unwrap_err());
        assert!(message.contains("addresses.json is not there: is `koe up --data "), "{message}");
        assert!(!message.contains('\n'), "{message}");
    }

    #[test]
    fn a_file_of_something_else_is_refused_without_its_contents() {
        for bad in ["", "{", "[]", r#"{"nats":7,"nats_token":"secret"}"#, r#"{"nats_token":"secret"}"#] {
            let message = format!("{:#}", of(bad).unwrap_err());
            assert!(message.contains("is not what `koe up` writes") && !message.contains("secret"), "{message}");
        }
    }
}
