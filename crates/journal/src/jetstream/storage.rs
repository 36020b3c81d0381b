//! How the broker keeps the log: its copies, and the room for it.

use async_nats::jetstream::Context;
use async_nats::jetstream::stream::Info;

use super::STREAM;
use crate::{Error, Storage};

pub(super) async fn look(context: &Context) -> Result<Storage, Error> {
    let log = async { context.get_stream(STREAM).await.map_err(Error::unavailable) };
    let account = async { context.query_account().await.map_err(Error::unavailable) };
    let (log, account) = tokio::try_join!(log, account)?;
    // A store without limits of the account says nothing of its room; 0 and below are "no limit".
    let account_max = account.limits.max_storage.and_then(|max| u64::try_from(max).ok()).filter(|max| *max > 0);
    Ok(Storage {
        used: account.storage,
        room: account_max,
        api_errors: account.requests.errors,
        ..of_stream(log.cached_info())
    })
}

fn of_stream(info: &Info) -> Storage {
    let followers = info.cluster.as_ref().map(|cluster| cluster.replicas.as_slice()).unwrap_or_default();
    let current = followers.iter().filter(|follower| follower.current && !follower.offline).count();
    // A server alone has no cluster and leads.
    let has_leader = info.cluster.as_ref().is_none_or(|cluster| cluster.leader.is_some());
    Storage {
        first_sequence: info.state.first_sequence,
        consumers: info.state.consumer_count,
        log_max: u64::try_from(info.config.max_bytes).ok().filter(|max| *max > 0),
        replicas: info.config.num_replicas,
        replicas_current: current + usize::from(has_leader),
        has_leader,
        replica_lag_max: followers.iter().filter_map(|follower| follower.lag).max().unwrap_or_default(),
        ..Storage::default()
    }
}
