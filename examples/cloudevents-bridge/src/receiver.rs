//! Who takes the CloudEvents: standard output, or an HTTP endpoint.

use std::io::Write as _;
use std::time::Duration;

use anyhow::{Context as _, bail};
use client::CloudEvent;

/// What an endpoint may take for one event.
const POST_TIMEOUT: Duration = Duration::from_secs(10);
/// How often one event is sent: with the pauses, some minutes. Whoever starts the bridge again after that goes on with it.
const ATTEMPTS_MAX: u32 = 12;
/// The first pause between two such attempts; it doubles.
const RETRY_PAUSE: Duration = Duration::from_millis(250);
/// The longest such pause.
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(30);

pub(crate) enum Receiver {
    Output,
    Endpoint { http: reqwest::Client, url: String },
}

impl Receiver {
    pub(crate) fn new(url: Option<String>) -> anyhow::Result<Self> {
        Ok(match url {
            Some(url) => Self::Endpoint { http: reqwest::Client::builder().timeout(POST_TIMEOUT).build()?, url },
            None => Self::Output,
        })
    }

    /// Comes back when the event was taken.
    pub(crate) async fn take(&self, event: &CloudEvent) -> anyhow::Result<()> {
        let mut body = serde_json::to_string(event)?;
        match self {
            Self::Output => {
                body.push('\n');
                let mut out = std::io::stdout().lock();
                out.write_all(body.as_bytes()).and_then(|()| out.flush()).context("nobody reads the output")
            }
            Self::Endpoint { http, url } => post(http, url, body).await,
        }
    }
}

async fn post(http: &reqwest::Client, url: &str, body: String) -> anyhow::Result<()> {
    let mut attempt = 1;
    loop {
        let request = http.post(url).header("content-type", "application/cloudevents+json");
        let why = match request.body(body.clone()).send().await {
            Ok(answer) if answer.status().is_success() => return Ok(()),
            // What is refused once is refused again; to go on would lose the event.
            Ok(answer) if answer.status().is_client_error() && answer.status().as_u16() != 429 => {
                bail!("{url} refuses an event with {}: {body}", answer.status());
            }
            Ok(answer) => answer.status().to_string(),
            Err(error) => error.to_string(),
        };
        if attempt == ATTEMPTS_MAX {
            bail!("{url} takes no event: {why}");
        }
        tracing::warn!(why, attempt, "sending it again");
        let pause = RETRY_PAUSE.saturating_mul(2_u32.saturating_pow(attempt - 1));
        tokio::time::sleep(pause.min(RETRY_PAUSE_MAX)).await;
        attempt += 1;
    }
}
