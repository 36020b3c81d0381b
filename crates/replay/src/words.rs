//! The words of `koe replay`: what each command is for, and what it takes.

use std::path::PathBuf;

use crate::source::Source;
use crate::{as_of, diff, export, frozen, import, log};

/// Answers from the log: what happened here, what did readers see, is what is served its fold?
///
/// The log holds everything that was ever done, and everything else is folded from it. So it can be looked at as of any moment,
/// folded again beside what is served, taken away as a file, and put into another system. Nothing stops meanwhile.
///
/// Every command takes --json for programs, shows a bar on a terminal, and may be interrupted: what reads leaves nothing behind,
/// and what writes goes on, or begins anew, when it is called again. --data leads to a running `koe up`, --nats to any
/// nats-server; docs/replay.md works through an incident.
///
/// Exits 0 for done and well, 1 for a finding (something differs, stands still, or is left), 2 for what could not be done.
///
/// Examples:
///
/// `koe replay status --digest`
///
/// `koe replay log --author ann --since 2026-11-24`
///
/// `koe replay as-of --time 2026-11-24T10:00:00Z --thread memorial-service`
///
/// `koe replay verify --json`
///
/// `koe replay export all.koe`
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    #[command(subcommand)]
    pub(crate) action: Action,
}

#[derive(Clone, Debug, clap::Subcommand)]
pub(crate) enum Action {
    /// Folds the log again into a temporary store and compares that with what is served.
    ///
    /// Nothing stops meanwhile: each site and thread is compared as of the position at which the projector read it.
    /// The temporary store needs room in $TMPDIR, about as much as the projector's.
    ///
    /// It also says where a law does not hold in the fold: a tally that is not its voters, a count that is not its rows, a gap in
    /// the numbers of comments, a message that cannot be read. Of a comment that differs it names the first field, and both values.
    ///
    /// With --from-archive it folds an archive in the place of the log, and behind it the log if the archive is of this one: so it
    /// tells whether an archive is good, and whether a system that was restored from it is the same.
    ///
    /// With --erasures it looks instead whether what was erased is gone: it reads every message of the log as it is stored, and asks
    /// which generations on the projector's disk may still hold it.
    ///
    /// With --metrics-file the result is also written for Prometheus's node exporter (its textfile collector), for a scheduled run.
    ///
    /// Exits 0 if all is equal and every law holds (or nothing of what was erased is left), 1 if not (and says where), 2 if that
    /// could not be found out.
    ///
    /// Examples:
    ///
    /// `koe replay verify`
    ///
    /// `koe replay verify --erasures`
    ///
    /// `koe replay verify --from-archive monday.koe --from-archive tuesday.koe`
    ///
    /// `koe replay verify --metrics-file /var/lib/node_exporter/koe_verify.prom`
    ///
    /// `koe replay verify --data /var/lib/koe`
    ///
    /// `koe replay verify --nats nats://127.0.0.1:4222 --json`
    Verify {
        /// Look whether what was erased is gone from the log and from the projector's disk.
        #[arg(long, conflicts_with_all = ["archives", "metrics_file"])]
        erasures: bool,
        /// Fold this archive in the place of the log; of a chain each one, the first one first.
        #[arg(long = "from-archive", value_name = "ARCHIVE")]
        archives: Vec<PathBuf>,
        /// Write the result to this file too, in Prometheus's text format.
        #[arg(long, value_name = "PATH")]
        metrics_file: Option<PathBuf>,
        #[command(flatten)]
        how: How,
    },
    /// Makes the projector fold the log again beside the living view, and waits until the new one serves.
    ///
    /// Readers are served by the old view until then. The projector's disk holds both meanwhile.
    ///
    /// Exits 0 when the new generation serves, 2 if that could not be brought about.
    ///
    /// Examples:
    ///
    /// `koe replay rebuild --data ./data`
    ///
    /// `koe replay rebuild --nats nats://127.0.0.1:4222`
    Rebuild(How),
    /// Shows how far the projector is, what lies on its disk, which places stand still, and which events were void.
    ///
    /// With --digest it also says one digest of all that is served: two systems with the same digest serve the same. The projector
    /// reads its whole store for that.
    ///
    /// Exits 0 if a projector answered, 2 if none did.
    ///
    /// Examples:
    ///
    /// `koe replay status --data ./data`
    ///
    /// `koe replay status --nats nats://127.0.0.1:4222 --json`
    Status {
        /// Say the digest of all that is served.
        #[arg(long)]
        digest: bool,
        #[command(flatten)]
        how: How,
    },
    /// Lets the projector serve a generation again that it has kept, as after a rebuild that came out wrong.
    ///
    /// It folds what the log has since first; readers are served by the other one until then. `status` names what is kept. A
    /// generation from before an erasure is not taken: it may hold what was erased.
    ///
    /// Exits 0 when it serves, 2 if it is not there, is of another schema, or could not catch up.
    ///
    /// Examples:
    ///
    /// `koe replay switch --to 3 --data ./data`
    Switch {
        /// Its number.
        #[arg(long, value_name = "GENERATION")]
        to: u32,
        #[command(flatten)]
        how: How,
    },
    /// Gives the room of a generation back that was replaced or set aside; `status` names them.
    ///
    /// Exits 0 when it is gone, 2 if it serves, is being rebuilt, or is not there.
    ///
    /// Examples:
    ///
    /// `koe replay drop-generation 3 --data ./data`
    DropGeneration {
        /// Its number.
        generation: u32,
        #[command(flatten)]
        how: How,
    },
    /// Deals with places that stand still because a message of the log cannot be read.
    ///
    /// Examples:
    ///
    /// `koe replay frozen list --data ./data`
    ///
    /// `koe replay frozen show --site demo --thread memorial-service`
    ///
    /// `koe replay frozen refold --site demo --thread memorial-service`
    ///
    /// `koe replay frozen discard --site demo --thread memorial-service --keep message.json`
    Frozen {
        #[command(subcommand)]
        action: frozen::Action,
    },
    /// Shows a thread as readers saw it at some moment.
    ///
    /// It reads only the events of the thread and of its site, and folds them with the code that serves. What was erased, whenever
    /// that was, is shown in no moment.
    ///
    /// Exits 0 if it is shown, 2 if there was no such thread then.
    ///
    /// Examples:
    ///
    /// `koe replay as-of --time 2026-11-24T10:00:00Z --thread memorial-service --data ./data`
    ///
    /// `koe replay as-of --sequence 1200 --thread memorial-service --site demo --html > then.html`
    ///
    /// `koe replay as-of --sequence 1200 --thread memorial-service --json | jq '.comments[13].state'`
    AsOf {
        #[command(flatten)]
        options: as_of::Options,
        #[command(flatten)]
        how: How,
    },
    /// Shows what changed in a thread between two moments, and by whom.
    ///
    /// A moment is a place in the log or a time. First what each comment shows otherwise, then the events of the thread and its
    /// site that made it so.
    ///
    /// Exits 0 if it is shown, 2 if there was no such thread.
    ///
    /// Examples:
    ///
    /// `koe replay diff 2026-11-24T10:00:00Z 2026-11-24T11:00:00Z --thread memorial-service --data ./data`
    ///
    /// `koe replay diff 1200 1300 --thread memorial-service --site demo --json`
    Diff {
        #[command(flatten)]
        options: diff::Options,
        #[command(flatten)]
        how: How,
    },
    /// Prints events, one a line: place, time, where, who, what.
    ///
    /// With --follow it goes on with what happens, without a gap. What was erased is shown without its words. With --json each
    /// line is an object with the event in the proto3 JSON mapping.
    ///
    /// Exits 0 at the end of the log, or when nobody reads any more; 2 if the log cannot be read.
    ///
    /// Examples:
    ///
    /// `koe replay log --site demo --type comment-removed --type comments-removed --data ./data`
    ///
    /// `koe replay log --author ann --since 2026-11-24 --json`
    ///
    /// `koe replay log --thread memorial-service --follow`
    Log {
        #[command(flatten)]
        options: log::Options,
        #[command(flatten)]
        how: How,
    },
    /// Writes the log, or a site of it, into a file that outlives it.
    ///
    /// The archive is a compressed file of JSON lines with checksums; docs/archive.md describes it. It has every event, votes
    /// and the ids of voters among them, and nothing that was erased. With --since it has only what came after another archive:
    /// both together are imported then.
    ///
    /// Nothing stops meanwhile; what is recorded later is not in it. If it is interrupted, no file of that name is there, and it
    /// begins anew.
    ///
    /// Exits 0 when the file is whole and on the disk, 2 if that could not be brought about.
    ///
    /// Examples:
    ///
    /// `koe replay export monday.koe --data ./data`
    ///
    /// `koe replay export tuesday.koe --since monday.koe --data ./data`
    ///
    /// `koe replay export demo.koe --site demo --nats nats://127.0.0.1:4222 --json`
    Export {
        #[command(flatten)]
        options: export::Options,
        #[command(flatten)]
        how: How,
    },
    /// Puts archives back into a log, as they were.
    ///
    /// The archives are read whole and checked before anything is written. The log must have nothing of their sites but what
    /// they begin with: so an import that was interrupted goes on when it is called again, and one that is complete adds nothing.
    /// Nobody should write to these sites meanwhile. What was erased later, by a later archive of the chain or in this log,
    /// does not come back.
    ///
    /// Exits 0 when all is in the log, 2 if an archive is damaged (and says where), if the log has other events of its sites, or
    /// if it could not be finished.
    ///
    /// Examples:
    ///
    /// `koe replay import monday.koe --dry-run --data ./data`
    ///
    /// `koe replay import monday.koe tuesday.koe --data ./data`
    Import {
        #[command(flatten)]
        options: import::Options,
        #[command(flatten)]
        how: How,
    },
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct How {
    #[command(flatten)]
    pub(crate) source: Source,
    /// Print one JSON object instead of words.
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, Command};

    use super::*;

    fn parse(words: &[&str]) -> Result<Options, clap::Error> {
        let matches = Options::augment_args(Command::new("replay")).try_get_matches_from(words)?;
        <Options as clap::FromArgMatches>::from_arg_matches(&matches)
    }

    #[test]
    fn a_directory_and_an_address_exclude_each_other() {
        Options::augment_args(Command::new("replay")).debug_assert();
        assert!(parse(&["replay", "verify"]).is_ok());
        assert!(parse(&["replay", "verify", "--data", "d", "--json"]).is_ok());
        assert!(parse(&["replay", "verify", "--erasures", "--data", "d"]).is_ok());
        assert!(parse(&["replay", "rebuild", "--nats", "nats://localhost:1", "--nats-token", "t"]).is_ok());
        assert!(parse(&["replay", "status", "--json"]).is_ok());
        assert!(parse(&["replay", "drop-generation", "3", "--data", "d"]).is_ok());
        assert!(parse(&["replay", "drop-generation"]).is_err());
        assert!(parse(&["replay", "verify", "--data", "d", "--nats", "nats://localhost:1"]).is_err());
    }
}
