//! The door: requests of one NATS service, read, handed to their handler, and answered.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use async_nats::header::HeaderMap;
use async_nats::service::endpoint::Endpoint;
use async_nats::service::{NATS_SERVICE_ERROR, NATS_SERVICE_ERROR_CODE, Service, ServiceExt, error};
use bytes::Bytes;
use futures::StreamExt;
use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use wire::codec::{APPLICATION_JSON, CONTENT_TYPE, Format, REQUEST_BYTES_MAX};
use wire::error::Failure;

use crate::metrics::Metrics;
use crate::{Instruments, Refusal};

/// Requests that one endpoint serves at once; more are told `overloaded` and may be sent again.
const IN_FLIGHT_MAX: usize = 1_024;
/// After a stop, what was taken is finished within this time.
const FINISH_MAX: Duration = Duration::from_secs(3);

/// A request, read.
#[derive(Debug)]
pub struct Request<Q> {
    /// The subject it came to, whose tokens say where.
    pub subject: String,
    /// What it asks.
    pub body: Q,
}

/// One NATS service: found by `$SRV.INFO`, any number of instances, each request served by one of them.
pub struct Door {
    client: async_nats::Client,
    service: Service,
    metrics: Metrics,
    stop: CancellationToken,
    endpoints: JoinSet<()>,
}

impl Door {
    /// Opens the door of a role, under the name that `$SRV.INFO` shows. No request is taken yet.
    pub async fn open(
        client: &async_nats::Client,
        (name, description): (&str, &str),
        instruments: &Instruments,
        stop: CancellationToken,
    ) -> anyhow::Result<Self> {
        let service =
            client.service_builder().description(description).start(name, env!("CARGO_PKG_VERSION")).await;
        let service =
            service.map_err(anyhow::Error::from_boxed).context("the NATS service cannot be announced")?;
        let metrics = Metrics::new(instruments.role(), instruments.registry())?;
        Ok(Self { client: client.clone(), service, metrics, stop, endpoints: JoinSet::new() })
    }

    /// Takes requests on a subject from now on and hands them to the handler, many at once.
    pub async fn serve<Q, R, H, F>(
        &mut self,
        name: &'static str,
        subject: String,
        handler: H,
    ) -> anyhow::Result<()>
    where
        Q: Message + Default + DeserializeOwned + 'static,
        R: Message + Serialize,
        H: Fn(Request<Q>) -> F + Send + Sync + 'static,
        F: Future<Output = Result<R, Refusal>> + Send + 'static,
    {
        let added = self.service.endpoint_builder().name(name).add(subject).await;
        let endpoint = added.map_err(anyhow::Error::from_boxed).context("an endpoint cannot be added")?;
        let (client, metrics, handler) = (self.client.clone(), self.metrics.of(name), Arc::new(handler));
        let answer = move |request: async_nats::service::Request, has_place: bool| {
            let (client, metrics, handler) = (client.clone(), metrics.clone(), Arc::clone(&handler));
            async move {
                let began = Instant::now();
                let handler = has_place.then_some(handler.as_ref());
                let (format, outcome) = answer(&request, handler).await;
                let code = outcome.as_ref().map_or_else(|refusal| refusal.code.as_str(), |_| "ok");
                metrics.answered(code, began.elapsed());
                if let Err(error) = respond(&client, request, format, outcome).await {
                    tracing::debug!(endpoint = name, %error, "an answer could not be sent");
                }
            }
        };
        self.endpoints.spawn(serve(endpoint, answer, self.stop.clone()));
        Ok(())
    }

    /// Serves until the stop, then finishes what was taken.
    pub async fn run(mut self) -> anyhow::Result<()> {
        while let Some(ended) = self.endpoints.join_next().await {
            ended.context("an endpoint broke")?;
            if !self.stop.is_cancelled() {
                anyhow::bail!("an endpoint lost its subscription");
            }
        }
        // Every handler has ended, and its answer waits in the connection: it goes out before the connection does.
        let flushed = tokio::time::timeout(FINISH_MAX, self.client.flush()).await;
        if !matches!(flushed, Ok(Ok(()))) {
            tracing::warn!("answers were left unsent at the stop");
        }
        // Else the library goes on telling everybody that we serve, and holds the connection for it.
        self.service.stop().await.map_err(anyhow::Error::from_boxed)
    }
}

async fn serve<A, F>(mut endpoint: Endpoint, answer: A, stop: CancellationToken)
where
    A: Fn(async_nats::service::Request, bool) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(IN_FLIGHT_MAX));
    let mut handlers = JoinSet::new();
    let mut stopping = false;
    loop {
        let request = tokio::select! {
            () = stop.cancelled(), if !stopping => {
                stopping = true;
                if endpoint.stop().await.is_err() {
                    break;
                }
                continue;
            }
            request = endpoint.next() => request,
            Some(_) = handlers.join_next() => continue,
        };
        let Some(request) = request else { break };
        // More than that is refused at once, so that nothing piles up behind what is slow.
        let place = Arc::clone(&places).try_acquire_owned().ok();
        let handler = answer(request, place.is_some());
        handlers.spawn(async move {
            handler.await;
            drop(place);
        });
    }
    let finished = tokio::time::timeout(FINISH_MAX, async { while handlers.join_next().await.is_some() {} });
    if finished.await.is_err() {
        tracing::warn!("requests were given up at the stop");
    }
}

async fn answer<Q, R, H, F>(
    request: &async_nats::service::Request,
    handler: Option<&H>,
) -> (Format, Result<Vec<u8>, Refusal>)
where
    Q: Message + Default + DeserializeOwned,
    R: Message + Serialize,
    H: Fn(Request<Q>) -> F,
    F: Future<Output = Result<R, Refusal>>,
{
    let message = &request.message;
    let content_type = message.headers.as_ref().and_then(|headers| headers.get(CONTENT_TYPE));
    let format = Format::of(content_type.map(async_nats::HeaderValue::as_str));
    if message.payload.len() > REQUEST_BYTES_MAX {
        return (format, Err(Failure::TooLarge.into()));
    }
    let Some(handler) = handler else { return (format, Err(Failure::Overloaded.into())) };
    let body = match format.decode::<Q>(&message.payload) {
        Ok(body) => body,
        Err(malformed) => {
            return (format, Err(Refusal::with_detail(Failure::Malformed, malformed.to_string())));
        }
    };
    let reply = handler(Request { subject: message.subject.to_string(), body }).await;
    (format, reply.map(|reply| format.encode(&reply)))
}

async fn respond(
    client: &async_nats::Client,
    mut request: async_nats::service::Request,
    format: Format,
    outcome: Result<Vec<u8>, Refusal>,
) -> Result<(), async_nats::client::PublishError> {
    let mut headers = HeaderMap::new();
    if format == Format::Json {
        headers.insert(CONTENT_TYPE, APPLICATION_JSON);
    }
    let size_max = client.server_info().max_payload;
    let outcome = outcome.and_then(|reply| {
        if reply.len() < size_max {
            return Ok(reply);
        }
        tracing::error!(bytes = reply.len(), "an answer is larger than the broker carries");
        Err(Failure::Internal.into())
    });
    let refusal = match outcome {
        Ok(reply) => {
            return request.respond_with_headers(Ok(Bytes::from(reply)), headers).await;
        }
        Err(refusal) => refusal,
    };
    let (code, status) = (refusal.code.as_str(), refusal.code.status());
    headers.insert(NATS_SERVICE_ERROR, code);
    headers.insert(NATS_SERVICE_ERROR_CODE, status.to_string().as_str());
    if let Some(reply) = request.message.reply.take() {
        client.publish_with_headers(reply, headers, format.encode(&refusal.body()).into()).await?;
    }
    // The library answers errors with an empty body. Its own answer goes nowhere, so that `$SRV.STATS` counts the error.
    request.message.reply = Some(client.new_inbox().into());
    request.respond(Err(error::Error { status: code.to_owned(), code: usize::from(status) })).await
}
