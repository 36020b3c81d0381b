//! `koe replay as-of`: a thread as readers saw it at some moment.

use std::fmt::Write as _;

use anyhow::Context as _;
use domain::Tally;
use wire::v1;
use wire::values::time_in;

use crate::describe::plain;
use crate::following::open_log;
use crate::moment::{Moment, parse_time, time_words};
use crate::progress::Progress;
use crate::thread_fold::{Still, ThreadFold, Which, temporary_store};

/// Which thread, when, and as what.
#[derive(Clone, Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("moment").required(true))]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) which: Which,
    /// As of this place in the log.
    #[arg(long, value_name = "N", group = "moment")]
    sequence: Option<u64>,
    /// As of this time, such as 2026-11-24T10:00:00Z; without a zone it is in UTC.
    #[arg(long, value_name = "TIME", group = "moment", value_parser = parse_time)]
    time: Option<domain::Timestamp>,
    /// Print a page for browsers, a file by itself, instead of words.
    #[arg(long, conflicts_with = "json")]
    html: bool,
}

impl Options {
    pub(crate) fn moment(&self) -> Moment {
        match (self.sequence, self.time) {
            (Some(sequence), _) => Moment::Sequence(sequence),
            (None, time) => Moment::Time(time.unwrap_or_default()),
        }
    }
}

pub(crate) async fn run(
    nats: async_nats::Client,
    options: &Options,
    json: bool,
    progress: &Progress,
) -> anyhow::Result<String> {
    let form = match (options.html, json) {
        (true, _) => Form::Html,
        (false, true) => Form::Json,
        (false, false) => Form::Words,
    };
    draw(nats, &options.which, options.moment(), form, progress).await
}

/// What a thread is drawn as.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    Html,
    Json,
    Words,
}

/// Draws a thread as it was.
pub(crate) async fn draw(
    nats: async_nats::Client,
    which: &Which,
    moment: Moment,
    form: Form,
    progress: &Progress,
) -> anyhow::Result<String> {
    // A store takes as long to be made as the log to be asked.
    let store = tokio::task::spawn_blocking(temporary_store);
    let journal = open_log(nats).await?;
    let fold = ThreadFold::read(&journal, which, &[moment], progress).await?;
    let (store, dir) = store.await.context("the temporary store broke")??;
    let folded = tokio::task::spawn_blocking(move || {
        let still = fold.still(moment, &store);
        (fold, still, store)
    });
    let (fold, still, store) = folded.await.context("folding the thread broke")?;
    // It takes as long to be closed as the thread to be drawn.
    let closing = tokio::task::spawn_blocking(move || drop((store, dir)));
    let drawn = tokio::task::spawn_blocking(move || {
        let still = still?;
        match form {
            Form::Html => {
                let now = still.time().unwrap_or_else(jiff::Timestamp::now);
                let said = still.words();
                gateway::still::html(fold.place(), still.page, said, now)
            }
            Form::Json => Ok(format!("{}\n", gateway::still::json(fold.place(), still.page)?)),
            Form::Words => Ok(text(&still)),
        }
    });
    let drawn = drawn.await.context("drawing the thread broke")?;
    closing.await.context("the temporary store broke")?;
    drawn
}

impl Still {
    fn time(&self) -> Option<jiff::Timestamp> {
        let time = match self.moment {
            Moment::Time(time) => Some(time),
            Moment::Sequence(_) => self.last.1,
        };
        jiff::Timestamp::from_millisecond(time?.0).ok()
    }

    /// Which moment it shows.
    pub(crate) fn words(&self) -> String {
        let of = match self.moment {
            Moment::Sequence(sequence) => format!("As of place {sequence} of the log"),
            Moment::Time(time) => format!("As of {}", time_words(time)),
        };
        let (sequence, time) = self.last;
        let time = time.map_or_else(String::new, |time| format!(" at {}", time_words(time)));
        format!("{of}. The last event until then: {sequence}{time}.")
    }
}

/// The page as people read it in a terminal.
fn text(still: &Still) -> String {
    let page = &still.page;
    let mut text = String::new();
    let mut line = |line: &str| writeln!(text, "{line}").expect("a string takes what is written");
    let count = if page.count == 1 { "1 comment".to_owned() } else { format!("{} comments", page.count) };
    line(&format!("{} · {} · {count}", plain(&page.headline), plain(&page.site_name)));
    line(&still.words());
    match page.mode() {
        v1::Mode::Unspecified | v1::Mode::Open => {}
        v1::Mode::Premoderated => line("Premoderated."),
        v1::Mode::ReadOnly => line(&format!("Read only. {}", plain(&page.mode_reason))),
        v1::Mode::Hidden => line(&format!("Hidden. {}", plain(&page.mode_reason))),
    }
    if page.frozen {
        line("It stood still: a message of the log could not be read.");
    }
    let number_of = |id: &str| page.comments.iter().find(|comment| comment.id == id).map(|comment| comment.number);
    for comment in &page.comments {
        let number = comment.number;
        line("");
        if comment.state() != v1::CommentState::Visible {
            line(&format!("#{number}  {}", plain(&gateway::still::state_line(comment))));
            continue;
        }
        let author = comment.author.as_ref().map_or_else(String::new, |author| match author.name.as_str() {
            "" if author.erased => "a former reader".to_owned(),
            "" => author.id.clone(),
            name => plain(name),
        });
        let time = comment.time.as_ref().and_then(time_in).map_or_else(String::new, time_words);
        let v1::Tally { up, down } = comment.tally.unwrap_or_default();
        line(&format!("#{number}  {author}  {time}  {}", Tally { up, down }));
        if let Some(parent) = number_of(&comment.parent) {
            line(&format!("    in reply to #{parent}"));
        }
        for quote in &comment.quotes {
            let body = if quote.body.is_empty() { "…" } else { &quote.body };
            for quoted in body.lines() {
                line(&format!("    | {}", plain(quoted)));
            }
        }
        for said in comment.body.lines() {
            line(&format!("    {}", plain(said)));
        }
    }
    text
}
