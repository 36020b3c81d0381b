//! `koe nats-keys`: the keys of the roles' NATS users. `koe up` makes and uses the same.
//!
//! A key is a seed in a file of its own, which the role shows that it holds, and a public half, which the nats-server
//! knows by the variable that `deploy/nats/users.conf` names.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use nkeys::KeyPair;

use crate::{data_dir, output};

/// The users with a key.
pub(crate) const USERS: [&str; 6] = ["comments", "votes", "projector", "gateway", "exporter", "tenant"];

/// Makes the keys of the roles' NATS users, where they are not there yet, and prints what the nats-server must know.
///
/// DIR/comments.nk and so on are the seeds: give each to its role alone (--nats-nkey-file). The lines that are printed are
/// the public halves, as variables of the environment for a nats-server with deploy/nats/nats.conf.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  koe nats-keys keys > nats.env && koe votes --nats-nkey-file keys/votes.nk
  docker run --rm koe:latest nats-keys --env >> .env")]
pub(crate) struct Options {
    /// Directory for the seeds, which their owner alone may read; made if it is not there.
    #[arg(required_unless_present = "env")]
    dir: Option<PathBuf>,
    /// Print new keys, the seeds too, as variables for docker-compose.yml's .env, and write no file.
    #[arg(long, conflicts_with = "dir")]
    env: bool,
}

/// The keys in a directory.
pub(crate) struct Keys {
    dir: PathBuf,
    public: Vec<(String, String)>,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    if let Some(dir) = &options.dir {
        for (variable, key) in Keys::open(dir)?.variables() {
            output::line(format_args!("{variable}={key}"));
        }
        return Ok(());
    }
    for user in USERS {
        let (key, user) = (KeyPair::new_user(), user.to_uppercase());
        output::line(format_args!("KOE_NATS_KEY_{user}={}", key.public_key()));
        output::line(format_args!("KOE_NATS_SEED_{user}={}", key.seed().context("a new key has no seed")?));
    }
    Ok(())
}

impl Keys {
    /// Reads the keys, and makes those that are not there.
    pub(crate) fn open(dir: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(dir).with_context(|| format!("{} cannot be made", dir.display()))?;
        let public = USERS.iter().map(|user| {
            let key = key_of(&dir.join(file(user)))?;
            Ok((format!("KOE_NATS_KEY_{}", user.to_uppercase()), key))
        });
        Ok(Self { dir: dir.to_owned(), public: public.collect::<anyhow::Result<_>>()? })
    }

    /// Variables of the environment, for the nats-server.
    pub(crate) fn variables(&self) -> &[(String, String)] {
        &self.public
    }

    /// Where a user's seed lies.
    pub(crate) fn seed_file(&self, user: &str) -> PathBuf {
        self.dir.join(file(user))
    }
}

fn file(user: &str) -> String {
    format!("{user}.nk")
}

/// The public half of the key in a file, made if there is none.
fn key_of(path: &Path) -> anyhow::Result<String> {
    let seed = match fs::read_to_string(path) {
        Ok(seed) => seed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let seed = KeyPair::new_user().seed().context("a new key has no seed")?;
            data_dir::write_secret(path, &format!("{seed}\n"))?;
            seed
        }
        Err(error) => return Err(error).with_context(|| format!("{} cannot be read", path.display())),
    };
    let key = KeyPair::from_seed(seed.trim()).ok().filter(|key| key.public_key().starts_with('U'));
    let key = key.with_context(|| {
        format!("{} holds no seed of a NATS user: remove it, and a new one is made", path.display())
    })?;
    Ok(key.public_key())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_and_for_their_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;

        let dir = tempfile::tempdir().unwrap();
        let first = Keys::open(&dir.path().join("keys")).unwrap();
        let again = Keys::open(&dir.path().join("keys")).unwrap();
        assert_eq!(first.variables(), again.variables());
        assert_eq!(first.variables().len(), USERS.len());
        let mode = fs::metadata(first.seed_file("votes")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::write(first.seed_file("votes"), "nonsense").unwrap();
        let message = Keys::open(&dir.path().join("keys")).err().unwrap().to_string();
        assert!(message.contains("remove it, and a new one is made"), "{message}");
    }
}
