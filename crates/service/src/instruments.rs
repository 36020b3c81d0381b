//! What a role is watched with: the registry of its metrics, its readiness, and its connections to NATS.

use std::sync::Arc;

use prometheus::process_collector::ProcessCollector;
use prometheus::{IntCounterVec, IntGaugeVec, Opts, Registry};

use crate::connect::{self, NatsOptions};
use crate::health::Health;

/// The instruments of one role. Roles of one process share a registry and a health.
#[derive(Clone)]
pub struct Instruments {
    role: &'static str,
    registry: Registry,
    health: Health,
    connections: Connections,
}

/// What is counted of connections to NATS, by their names.
#[derive(Clone)]
pub(crate) struct Connections {
    pub(crate) connected: IntGaugeVec,
    pub(crate) reconnects: IntCounterVec,
    pub(crate) slow_consumers: IntCounterVec,
}

impl Instruments {
    /// Those of a process that runs this role, with the figures of the process itself.
    pub fn of_process(role: &'static str) -> anyhow::Result<Self> {
        let registry = Registry::new();
        registry.register(Box::new(ProcessCollector::for_self()))?;
        let build = IntGaugeVec::new(
            Opts::new("koe_build_info", "1, with the release of this process as a label."),
            &["version"],
        )?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        registry.register(Box::new(build))?;
        Self::new(role, registry, Health::default())
    }

    /// Those of another role in the same process.
    pub fn beside(&self, role: &'static str) -> anyhow::Result<Self> {
        Self::new(role, self.registry.clone(), self.health.clone())
    }

    fn new(role: &'static str, registry: Registry, health: Health) -> anyhow::Result<Self> {
        let connections = Connections::new(role, &registry)?;
        health.starts(role);
        Ok(Self { role, registry, health, connections })
    }

    /// The role, which names its metrics.
    pub fn role(&self) -> &'static str {
        self.role
    }

    /// Where the role registers its metrics.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// From now on this tells whether the role can do its work, and if not, why. It is asked at every probe.
    pub fn ready_when<C, F>(&self, check: C)
    where
        C: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.health.ready_when(self.role, check);
    }

    /// Why the roles of this process are not ready, a line for each; `None` if all are.
    pub async fn not_ready(&self) -> Option<String> {
        self.health.reasons().await
    }

    /// Connects to NATS under a name, counted. A connection that breaks is made again for ever.
    pub async fn connect(&self, options: &NatsOptions, name: &'static str) -> anyhow::Result<async_nats::Client> {
        connect::counted(options, name, Some(Arc::new(self.connections.of(name)))).await
    }
}

impl Connections {
    fn new(role: &str, registry: &Registry) -> prometheus::Result<Self> {
        let opts = |name: &str, help: &str| Opts::new(format!("koe_{role}_nats_{name}"), help);
        let labels = ["connection"];
        let connections = Self {
            connected: IntGaugeVec::new(
                opts("connected", "Whether a connection to NATS stands, by its name."),
                &labels,
            )?,
            reconnects: IntCounterVec::new(
                opts("reconnects_total", "Times that a connection to NATS was made again, by its name."),
                &labels,
            )?,
            slow_consumers: IntCounterVec::new(
                opts(
                    "slow_consumers_total",
                    "Times that NATS dropped messages because we were slow, by connection.",
                ),
                &labels,
            )?,
        };
        registry.register(Box::new(connections.connected.clone()))?;
        registry.register(Box::new(connections.reconnects.clone()))?;
        registry.register(Box::new(connections.slow_consumers.clone()))?;
        Ok(connections)
    }

    fn of(&self, name: &str) -> connect::Counts {
        connect::Counts {
            connected: self.connected.with_label_values(&[name]),
            reconnects: self.reconnects.with_label_values(&[name]),
            slow_consumers: self.slow_consumers.with_label_values(&[name]),
            was_connected: false.into(),
        }
    }
}
