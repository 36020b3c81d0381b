//! `koe replay export`: the log into an archive, without what was erased.

use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};
use domain::{Content, Erasures, Event, SiteId};
use indicatif::{HumanBytes, HumanCount};
use journal::{Entry, Head, Journal};
use serde_json::json;
use tokio::sync::mpsc;

use crate::archive::{self, End, FORMAT, Manifest, Previous, SiteName, Verified, Writer};
use crate::erasures::erasures_of;
use crate::following::{Following, open_log};
use crate::limits::BATCHES_WAITING_MAX;
use crate::progress::Progress;

/// What is exported.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// The file to write. It has this name only once it is whole.
    #[arg(value_name = "OUT")]
    pub(crate) out: PathBuf,
    /// Only this site.
    #[arg(long, value_name = "SITE")]
    pub(crate) site: Option<SiteId>,
    /// Only what came after this archive, which both are needed for then.
    #[arg(long, value_name = "ARCHIVE")]
    pub(crate) since: Option<PathBuf>,
}

/// What was written.
pub(crate) struct Report {
    manifest: Manifest,
    end: End,
    bytes: u64,
    out: PathBuf,
}

pub(crate) async fn run(
    nats: async_nats::Client,
    options: &Options,
    progress: &Progress,
) -> anyhow::Result<Report> {
    let journal = open_log(nats).await?;
    let head = journal.look().await.context("the log's end cannot be seen")?;
    let previous = match options.since.clone() {
        None => None,
        Some(since) => {
            progress.begin("reading the archive before it", 0);
            let read = tokio::task::spawn_blocking(move || archive::verify(&since, |_, _| Ok(())));
            Some(read.await.context("reading the archive broke")??)
        }
    };
    let manifest = manifest(&journal, &head, options.site.clone(), previous.as_ref())?;
    // What was erased and is not deleted yet must not be in it either.
    journal.look_for_erased().await.context("what was erased cannot be seen")?;
    let erasures = erasures_of(&journal).await?;

    let (sender, mut batches) = mpsc::channel::<Vec<Entry>>(BATCHES_WAITING_MAX);
    let (out, written) = (options.out.clone(), manifest.clone());
    let site = options.site.clone();
    let writing = tokio::task::spawn_blocking(move || {
        let mut writer = Writer::create(&out, &written)?;
        while let Some(batch) = batches.blocking_recv() {
            let kept = batch.into_iter().filter(|entry| is_of(entry, site.as_ref()));
            let kept: Vec<_> = kept.map(|entry| without_erased(entry, &erasures, written.after)).collect();
            writer.add(&kept)?;
        }
        Ok::<_, anyhow::Error>(writer)
    });
    progress.begin("exporting", head.sequence - manifest.after);
    let mut log = Following::begin(&journal, manifest.after).await?;
    while let Some(batch) = log.up_to(head.sequence).await? {
        let read = batch.last().map_or(0, |entry| entry.sequence - manifest.after);
        if sender.send(batch).await.is_err() {
            break;
        }
        progress.at(read, head.sequence - manifest.after);
    }
    drop(sender);
    let writer = writing.await.context("writing broke")??;
    // Only now: whoever is interrupted has no file of that name.
    let end = tokio::task::spawn_blocking(move || writer.finish()).await.context("writing broke")??;
    progress.end();
    let bytes = tokio::fs::metadata(&options.out).await.map_or(0, |file| file.len());
    Ok(Report { manifest, end, bytes, out: options.out.clone() })
}

fn manifest(
    journal: &Journal,
    head: &Head,
    site: Option<SiteId>,
    previous: Option<&Verified>,
) -> anyhow::Result<Manifest> {
    let manifest = Manifest {
        koe_archive: FORMAT,
        koe: env!("CARGO_PKG_VERSION").to_owned(),
        site: site.map(SiteName),
        stream: journal.stream().to_owned(),
        created_nanos: head.created_nanos,
        epoch: format!("{:x}", head.epoch),
        after: previous.map_or(0, |previous| previous.manifest.up_to),
        up_to: head.sequence,
        previous: previous.map(|previous| Previous {
            blake3: previous.end.blake3.clone(),
            last_id: previous.end.last_id.clone(),
        }),
        exported: jiff::Timestamp::now().to_string(),
    };
    if let Some(previous) = previous {
        let before = &previous.manifest;
        ensure!(
            before.site == manifest.site,
            "the archive before it is not of the same site: say the same --site"
        );
        let same_log = (before.created_nanos, &before.epoch) == (manifest.created_nanos, &manifest.epoch);
        if !same_log || before.up_to > manifest.up_to {
            bail!(
                "the archive before it is of another log, or of one that lost its tail since: export without --since"
            );
        }
    }
    Ok(manifest)
}

fn is_of(entry: &Entry, site: Option<&SiteId>) -> bool {
    site.is_none_or(|site| wire::subject::site_token(&entry.subject) == site.as_str())
}

/// A message as it goes into an archive: without what was erased. Where it says what is left of others, only of those that an
/// earlier archive of the chain may hold: what is left of this one's stands in their places already.
fn without_erased(entry: Entry, erasures: &Erasures, after: u64) -> Entry {
    let tells_of_others = entry.kind() == "messages-erased";
    if erasures.is_empty() && !tells_of_others {
        return entry;
    }
    let recorded = entry.decode();
    let (Some(place), Content::Event(envelope)) = (&recorded.place, &recorded.content) else { return entry };
    let mut left = erasures.strip(entry.sequence, place, envelope);
    if tells_of_others {
        let mut earlier = left.unwrap_or_else(|| envelope.clone());
        if let Event::MessagesErased { messages } = &mut earlier.event {
            messages.retain(|message| message.sequence <= after);
        }
        left = Some(earlier);
    }
    match left {
        None => entry,
        Some(envelope) => {
            let subject = wire::subject::event(place, envelope.event.kind());
            Entry { payload: wire::envelope::encode(&envelope).into(), subject, ..entry }
        }
    }
}

impl Report {
    pub(crate) fn words(&self) -> String {
        let events = HumanCount(self.end.events);
        let Manifest { after, up_to, .. } = &self.manifest;
        let (out, bytes) = (self.out.display(), HumanBytes(self.bytes));
        let range = format!("places {} to {} of the log", HumanCount(after + 1), HumanCount(*up_to));
        format!("exported: {events} events, {range}, {bytes} in {out}\nchecksum {}\n", self.end.blake3)
    }

    pub(crate) fn json(&self) -> String {
        let object = json!({
            "out": self.out,
            "events": self.end.events,
            "chunks": self.end.chunks,
            "after": self.manifest.after,
            "up_to": self.manifest.up_to,
            "bytes": self.bytes,
            "blake3": self.end.blake3,
        });
        format!("{object}\n")
    }
}
