//! `koe token`: a session for somebody, signed with the data directory's key.

use std::path::PathBuf;
use std::time::SystemTime;

use anyhow::{Context as _, ensure};
use domain::{AuthorId, Role, Roles, SiteId, text};
use gateway::session::{Claims, Key};

use crate::{data_dir, output};

/// Prints a token that logs somebody in.
///
/// Give it to the page at /login, or to the HTTP API as `Authorization: Bearer TOKEN`. Whoever holds it is who it names,
/// until it expires. The key lies in the data directory; `koe up` and this command make it when it is not there.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  koe token --site demo --author ann --name \"Ann Onuma\"
  koe token --site demo --author desk --role moderator --hours 8
  curl -H \"Authorization: Bearer $(koe token --site demo --author ann)\" \\
       -H 'content-type: application/json' -d '{\"text\":\"Hello\"}' \\
       http://127.0.0.1:8080/v1/sites/demo/threads/memorial-service/comments")]
pub(crate) struct Options {
    /// The data directory whose key signs.
    #[arg(long, env = "KOE_DATA", value_name = "DIR", default_value = "data")]
    data: PathBuf,
    /// Another key file than the data directory's, as the gateway's --session-key-file.
    #[arg(long, env = "KOE_SESSION_KEY_FILE", value_name = "FILE")]
    session_key_file: Option<PathBuf>,
    /// The site that the token is good for.
    #[arg(long)]
    site: SiteId,
    /// The author's id: 1 to 64 characters out of A-Z a-z 0-9 _ -.
    #[arg(long)]
    author: AuthorId,
    /// What the author is called; made known when they log in.
    #[arg(long)]
    name: Option<String>,
    /// What the author is to the site, beside a reader; may be given several times.
    #[arg(long = "role", value_enum)]
    roles: Vec<RoleName>,
    /// How long the token is good.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(i64).range(1..=8_760))]
    hours: i64,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum RoleName {
    Moderator,
    Administrator,
    Service,
}

impl RoleName {
    fn role(self) -> Role {
        match self {
            Self::Moderator => Role::Moderator,
            Self::Administrator => Role::Administrator,
            Self::Service => Role::Service,
        }
    }
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let name = options.name.as_deref().map(text::author_name).transpose()?;
    let key = if let Some(file) = &options.session_key_file {
        file.clone()
    } else {
        let dir = &options.data;
        ensure!(
            dir.is_dir(),
            "{} is not a data directory: start `koe up` first or name it with --data",
            dir.display()
        );
        data_dir::session_key(dir)?
    };
    let key = Key::load(&key)?;
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).context("this machine's clock is off")?;
    let now = i64::try_from(since.as_secs()).context("this machine's clock is off")?;
    let roles: Roles = options.roles.iter().map(|role| role.role()).collect();
    let claims = Claims::new(&options.site, &options.author, name.as_deref(), roles, now, options.hours * 3_600);
    output::line(key.sign(&claims));
    Ok(())
}
