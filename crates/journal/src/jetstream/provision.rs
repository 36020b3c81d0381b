//! Making the log where it is not there, and bringing one of an earlier release up to date.

use async_nats::jetstream::response::Response;
use async_nats::jetstream::{Context, kv, stream};
use serde::Deserialize;
use wire::subject::{self, STATE};

use super::{Options, Provision, STREAM};
use crate::Error;
use crate::error::chain;

/// The name of the flag in a stream's configuration.
const ALLOW_BATCHES: &str = "allow_atomic";

type Fields = serde_json::Map<String, serde_json::Value>;

/// The part of a stream's info that is updated.
#[derive(Deserialize)]
struct Info {
    config: Fields,
}

pub(super) async fn open_stream(context: &Context, options: &Options) -> Result<stream::Stream, Error> {
    match context.get_stream(STREAM).await {
        Ok(stream) => return Ok(stream),
        Err(error) if options.provision == Provision::Never => return Err(missing(&error)),
        Err(_) => {}
    }
    let config = stream::Config {
        name: STREAM.to_owned(),
        description: Some(
            "Koe's events: the only truth. Deleting one is what erasure does, and nothing else.".into(),
        ),
        subjects: vec![subject::EVENTS.to_owned()],
        storage: stream::StorageType::File,
        num_replicas: options.replicas,
        max_bytes: options.bytes_max.map_or(-1, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX)),
        discard: stream::DiscardPolicy::New,
        duplicate_window: options.window,
        allow_direct: true,
        allow_atomic_publish: true,
        ..Default::default()
    };
    // Several processes may start at once: whoever comes second finds it made.
    match context.create_stream(config).await {
        Ok(stream) => Ok(stream),
        Err(error) => context.get_stream(STREAM).await.or(Err(Error::unavailable(error))),
    }
}

/// For those who only read: a log that is not there is not made.
fn missing(error: &dyn std::error::Error) -> Error {
    Error::Misconfigured(format!("it is not there, or JetStream does not answer: {error}"))
}

pub(super) async fn open_state(context: &Context, options: &Options) -> Result<kv::Store, Error> {
    match context.get_key_value(STATE).await {
        Ok(state) => return Ok(state),
        Err(error) if options.provision == Provision::Never => return Err(missing(&error)),
        Err(_) => {}
    }
    let config = kv::Config {
        bucket: STATE.to_owned(),
        description: "What Koe's processes agree on".to_owned(),
        history: 1,
        storage: stream::StorageType::File,
        num_replicas: options.replicas,
        ..Default::default()
    };
    match context.create_key_value(config).await {
        Ok(state) => Ok(state),
        Err(error) => context.get_key_value(STATE).await.or(Err(Error::unavailable(error))),
    }
}

/// Lets a log that an earlier release made take atomic batches; says whether it does. One that does not serves as well, only
/// slower.
pub(super) async fn allow_batches(context: &Context, options: &Options) -> bool {
    if options.provision == Provision::Never {
        return false;
    }
    match update(context).await {
        Ok(able) => able,
        Err(error) => {
            tracing::warn!(error, "the log cannot be made to take batches: each event is published alone");
            false
        }
    }
}

/// By the configuration as the broker tells it, so that what this release does not know of it stays as it is.
async fn update(context: &Context) -> Result<bool, String> {
    let nothing = serde_json::Map::new();
    let mut config = configuration(context, format!("STREAM.INFO.{STREAM}"), &nothing).await?;
    config.insert(ALLOW_BATCHES.to_owned(), true.into());
    let updated = configuration(context, format!("STREAM.UPDATE.{STREAM}"), &config).await?;
    Ok(updated.get(ALLOW_BATCHES) == Some(&true.into()))
}

async fn configuration(context: &Context, question: String, body: &Fields) -> Result<Fields, String> {
    match context.request(question, body).await.map_err(|error| chain(&error))? {
        Response::Ok(Info { config }) => Ok(config),
        Response::Err { error } => Err(chain(&error)),
    }
}
