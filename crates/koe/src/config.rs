//! The configuration file: settings below the environment, which is below the flags.
//!
//! A setting is what has an environment variable, and its key is that variable's name: `KOE_CACHE_MIB` is `cache-mib`. What is
//! said at the top holds for every command that has the setting, what is said in a command's table for that command. So a new
//! flag with a variable is in the file too, and there is no list to keep.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

use crate::output;

/// A file with every setting of every command and a comment to each has a tenth of this.
const FILE_BYTES_MAX: u64 = 65_536;
/// Where the setting that names the file itself comes from: it cannot stand in it.
const ITSELF: &str = "config";
/// What stands for a secret.
const HIDDEN: &str = "(hidden)";

/// Which configuration file.
#[derive(clap::Args)]
pub(crate) struct FileOption {
    /// Configuration file (TOML, see deploy/koe.toml). The environment is above it, flags are above that.
    #[arg(long, env = "KOE_CONFIG", value_name = "FILE", global = true)]
    config: Option<PathBuf>,
}

/// Check the configuration file, or show which settings hold and where each comes from.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  koe config check --config koe.toml
  koe config show --config koe.toml
  koe config show projector --json")]
pub(crate) struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Is every key known and every value allowed? Exits with 2 and says what is wrong if not.
    Check,
    /// Show which settings hold with this file and this environment. Secrets are hidden.
    Show {
        /// Only those of this command, such as `projector`.
        command: Option<String>,
        /// As JSON: by command and key the value and where it comes from (default, file or environment).
        #[arg(long)]
        json: bool,
    },
}

/// What a configuration file says.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Settings {
    everywhere: BTreeMap<String, String>,
    of_command: BTreeMap<String, BTreeMap<String, String>>,
}

/// The command line with what the configuration file says below it, and the same without the words.
pub(crate) fn read(command: Command, words: &[OsString]) -> anyhow::Result<(ArgMatches, Command, Settings)> {
    let settings = match file_named(&command, words) {
        Some(file) => open(&command, &file).with_context(|| format!("configuration file {}", file.display()))?,
        None => Settings::default(),
    };
    let layered = with_defaults(command.clone(), &settings);
    Ok((layered.get_matches_from(words), command, settings))
}

/// The file that the words or the environment name, whatever else is wrong with them.
fn file_named(command: &Command, words: &[OsString]) -> Option<PathBuf> {
    let lenient = command.clone().ignore_errors(true);
    lenient.try_get_matches_from(words).ok()?.get_one::<PathBuf>(ITSELF).cloned()
}

fn open(command: &Command, file: &Path) -> anyhow::Result<Settings> {
    let size = std::fs::metadata(file).context("it cannot be read: name another with --config")?.len();
    ensure!(size <= FILE_BYTES_MAX, "it has {size} bytes, more than {FILE_BYTES_MAX}");
    let text = std::fs::read_to_string(file).context("it cannot be read: name another with --config")?;
    parse(command, &text)
}

fn parse(command: &Command, text: &str) -> anyhow::Result<Settings> {
    let table: toml::Table = text.parse().context("it is not TOML")?;
    let mut settings = Settings::default();
    for (key, value) in table {
        if let toml::Value::Table(table) = value {
            let of = command.find_subcommand(&key).filter(|of| !settings_of(of).is_empty());
            let Some(of) = of else {
                bail!("no command `{key}` has settings; tables are for {}", names(&tables(command)));
            };
            let known = settings_of(of);
            for (name, value) in table {
                let place = format!("{key}.{name}");
                ensure!(known.contains_key(&name), "unknown key `{place}`; `{key}` has {}", names(known.keys()));
                let value = plain(&place, value)?;
                need_allowed(of, &name, &place, &value)?;
                settings.of_command.entry(key.clone()).or_default().insert(name, value);
            }
        } else {
            let having: Vec<_> =
                command.get_subcommands().filter(|of| settings_of(of).contains_key(&key)).collect();
            let of_all = own_settings(command).contains_key(&key);
            ensure!(of_all || !having.is_empty(), "unknown key `{key}`; there are {}", names(&all(command)));
            let value = plain(&key, value)?;
            for of in having.into_iter().chain(of_all.then_some(command)) {
                need_allowed(of, &key, &key, &value)?;
            }
            settings.everywhere.insert(key, value);
        }
    }
    Ok(settings)
}

/// A value as it would stand on the command line.
fn plain(place: &str, value: toml::Value) -> anyhow::Result<String> {
    Ok(match value {
        toml::Value::String(text) => text,
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Float(number) => number.to_string(),
        toml::Value::Boolean(yes) => yes.to_string(),
        other => bail!("`{place}` must be a text, a number or true or false, and is of type {}", other.type_str()),
    })
}

/// Whether a command would take the value: its own parser is asked, so that a file and a flag are under the same rules.
fn need_allowed(command: &Command, key: &str, place: &str, value: &str) -> anyhow::Result<()> {
    for (of, arg) in with_setting(command, key) {
        let flag = format!("--{}", arg.get_long().unwrap_or_default());
        let alone = of.clone().subcommand_required(false).mut_args(|arg| arg.required(false).env(None::<&str>));
        let words = [OsString::from("koe"), format!("{flag}={value}").into()];
        if let Err(error) = alone.try_get_matches_from(words)
            && matches!(error.kind(), ErrorKind::ValueValidation | ErrorKind::InvalidValue)
        {
            let said = error.to_string();
            let first = said.lines().next().unwrap_or_default().trim_start_matches("error: ");
            bail!("`{place}`: {first}");
        }
    }
    Ok(())
}

/// The settings become what holds when neither a flag nor the environment says anything.
fn with_defaults(command: Command, settings: &Settings) -> Command {
    let named: Vec<_> = command.get_subcommands().map(|of| of.get_name().to_owned()).collect();
    let mut command = of_one(command, &settings.everywhere);
    for name in named {
        let mut said = settings.everywhere.clone();
        said.extend(settings.of_command.get(&name).cloned().unwrap_or_default());
        command = command.mut_subcommand(&name, |of| below(of, &said));
    }
    command
}

fn below(command: Command, said: &BTreeMap<String, String>) -> Command {
    let named: Vec<_> = command.get_subcommands().map(|of| of.get_name().to_owned()).collect();
    named.iter().fold(of_one(command, said), |command, name| command.mut_subcommand(name, |of| below(of, said)))
}

fn of_one(command: Command, said: &BTreeMap<String, String>) -> Command {
    command.mut_args(|arg| match key_of(&arg).and_then(|key| said.get(&key)) {
        Some(value) => arg.required(false).default_value(value.clone()),
        None => arg,
    })
}

/// The key of an argument, if it is a setting: its environment variable without `KOE_`.
fn key_of(arg: &Arg) -> Option<String> {
    let variable = arg.get_env()?.to_str()?.strip_prefix("KOE_")?;
    Some(variable.to_lowercase().replace('_', "-")).filter(|key| key != ITSELF)
}

fn own_settings(command: &Command) -> BTreeMap<String, &Arg> {
    command.get_arguments().filter_map(|arg| Some((key_of(arg)?, arg))).collect()
}

/// Those of a command and of the commands below it.
fn settings_of(command: &Command) -> BTreeMap<String, &Arg> {
    let mut settings = own_settings(command);
    for of in command.get_subcommands() {
        settings.extend(settings_of(of));
    }
    settings
}

/// A command, or those below it, which have a setting.
fn with_setting<'a>(command: &'a Command, key: &str) -> Vec<(&'a Command, &'a Arg)> {
    let own = own_settings(command).remove(key).map(|arg| (command, arg));
    own.into_iter().chain(command.get_subcommands().flat_map(|of| with_setting(of, key))).collect()
}

fn tables(command: &Command) -> BTreeSet<String> {
    let having = command.get_subcommands().filter(|of| !settings_of(of).is_empty());
    having.map(|of| of.get_name().to_owned()).collect()
}

fn all(command: &Command) -> BTreeSet<String> {
    settings_of(command).into_keys().collect()
}

fn names<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    names.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// A setting as it holds.
#[derive(Debug, PartialEq, serde::Serialize)]
struct Held {
    /// None: nothing is said, and there is no default.
    value: Option<String>,
    from: &'static str,
}

/// `koe config …`, whose file was read before: what is wrong with it was said then.
pub(crate) fn run(options: &Options, command: &Command, settings: &Settings) -> anyhow::Result<ExitCode> {
    match &options.action {
        Action::Check => {
            let keys = settings.everywhere.len() + settings.of_command.values().map(BTreeMap::len).sum::<usize>();
            ensure!(*settings != Settings::default(), "there is nothing to check: name a file with --config");
            output::line(format_args!("ok: {keys} settings"));
        }
        Action::Show { command: only, json } => {
            let tables = tables(command);
            if let Some(only) = only {
                ensure!(tables.contains(only), "no command `{only}` has settings; there are {}", names(&tables));
            }
            let mut shown = BTreeMap::new();
            for name in tables.iter().filter(|name| only.as_ref().is_none_or(|only| only == *name)) {
                shown.insert(name.as_str(), held(command, name, settings)?);
            }
            if *json {
                output::line(serde_json::to_string_pretty(&shown)?);
            } else {
                output::line(as_toml(&shown)?.trim_end());
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What holds for a command, with this file and this environment and no flag.
fn held(command: &Command, name: &str, settings: &Settings) -> anyhow::Result<BTreeMap<String, Held>> {
    let mut held = BTreeMap::new();
    for key in command.find_subcommand(name).map(settings_of).unwrap_or_default().into_keys() {
        let layered = with_defaults(command.clone(), settings);
        let of = layered.find_subcommand(name).context("a command is there")?;
        let Some((of, arg)) = with_setting(of, &key).into_iter().next() else { continue };
        let id = arg.get_id().as_str();
        let alone = of.clone().subcommand_required(false).mut_args(|arg| {
            let is_it = arg.get_id().as_str() == id;
            let arg = arg.required(false);
            if is_it { arg } else { arg.env(None::<&str>) }
        });
        let matches = match alone.try_get_matches_from(["koe"]) {
            Ok(matches) => matches,
            Err(error) => bail!("{}", error.to_string().lines().next().unwrap_or_default()),
        };
        let value = matches.get_raw(id).and_then(|mut values| values.next());
        let value = value.map(|value| value.to_string_lossy().into_owned());
        let of_file = settings.of_command.get(name).is_some_and(|said| said.contains_key(&key))
            || settings.everywhere.contains_key(&key);
        let from = match matches.value_source(id) {
            Some(ValueSource::EnvVariable) => "environment",
            _ if of_file => "file",
            _ => "default",
        };
        let value = if arg.is_hide_env_values_set() { value.map(|_| HIDDEN.to_owned()) } else { value };
        held.insert(key, Held { value, from });
    }
    Ok(held)
}

/// As a configuration file has it, with where each setting comes from.
fn as_toml(shown: &BTreeMap<&str, BTreeMap<String, Held>>) -> anyhow::Result<String> {
    let mut text = String::new();
    for (name, held) in shown {
        writeln!(text, "[{name}]")?;
        for (key, Held { value, from }) in held {
            match value {
                // The text of a JSON string is one of TOML, too.
                Some(value) => writeln!(text, "{key} = {}  # {from}", serde_json::to_string(value)?)?,
                None => writeln!(text, "# {key} is not set")?,
            }
        }
        text.push('\n');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, FromArgMatches as _};

    use super::*;
    use crate::Cli;

    fn refused(text: &str) -> String {
        format!("{:#}", parse(&Cli::command(), text).unwrap_err())
    }

    #[test]
    fn a_key_that_nobody_knows_and_a_value_that_nobody_takes_are_refused_by_name() {
        assert!(refused("cash-mib = 5").contains("unknown key `cash-mib`; there are actor-burst, actor-rate"));
        assert!(refused("[votes]\ncache-mib = 64").contains("unknown key `votes.cache-mib`"));
        assert!(refused("[vote]\nnats = 'x'").contains("no command `vote` has settings; tables are for"));
        assert!(refused("[projector]\ncache-mib = 5").contains("`projector.cache-mib`: invalid value '5'"));
        assert!(refused("cache-mib = 5").contains("16..=65536"));
        assert!(refused("log-format = 'xml'").contains("`log-format`: invalid value 'xml'"));
        assert!(
            refused("http = ['a']")
                .contains("`http` must be a text, a number or true or false, and is of type array")
        );
        assert!(refused("nats = ").contains("it is not TOML"));
        assert!(refused("config = 'x'").contains("unknown key `config`"));
    }

    #[test]
    fn flags_are_above_the_file_and_a_commands_table_is_above_what_holds_everywhere() {
        let command = Cli::command();
        let text = "nats = 'nats://a:1'\nlog = 'debug'\nactor-rate = 7\n[votes]\nnats = 'nats://b:2'\n[gateway]\nsession-key-file = 'k'";
        let settings = parse(&command, text).unwrap();
        let value = |words: &[&str], id: &str| {
            let matches = with_defaults(command.clone(), &settings).try_get_matches_from(words).unwrap();
            Cli::from_arg_matches(&matches).unwrap();
            let (_, of) = matches.subcommand().unwrap();
            of.get_raw(id).unwrap().next().unwrap().to_str().unwrap().to_owned()
        };
        assert_eq!(value(&["koe", "votes"], "nats"), "nats://b:2");
        assert_eq!(value(&["koe", "comments"], "nats"), "nats://a:1");
        assert_eq!(value(&["koe", "votes", "--nats", "nats://c:3"], "nats"), "nats://c:3");
        assert_eq!(value(&["koe", "votes"], "log"), "debug");
        assert_eq!(value(&["koe", "votes"], "actor_rate"), "7");
        assert_eq!(value(&["koe", "gateway"], "session_key_file"), "k");
    }

    #[test]
    fn what_is_secret_is_hidden() {
        let command = Cli::command();
        let settings = parse(&command, "nats-token = 'hunter2'").unwrap();
        let shown = BTreeMap::from([("votes", held(&command, "votes", &settings).unwrap())]);
        let text = as_toml(&shown).unwrap();
        assert!(text.contains("nats-token = \"(hidden)\"  # file") && !text.contains("hunter2"), "{text}");
    }
}
