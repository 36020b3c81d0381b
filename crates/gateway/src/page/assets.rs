//! The stylesheet and the icon. The stylesheet's address holds a hash of it, so that browsers keep it for ever and
//! still see the next release's.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use super::Failed;
use crate::problem::HttpCode;

const STYLESHEET: &str = include_str!("../../assets/koe.css");
const ICON: &str = include_str!("../../assets/koe.svg");
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const A_DAY: &str = "public, max-age=86400";

static STYLESHEET_NAME: LazyLock<String> =
    LazyLock::new(|| format!("koe-{:016x}.css", fnv_1a(STYLESHEET.as_bytes())));
static STYLESHEET_PATH: LazyLock<String> = LazyLock::new(|| format!("/assets/{}", *STYLESHEET_NAME));

/// FNV-1a, 64 bits: tells releases apart, and nothing hangs on it.
fn fnv_1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Where this release's stylesheet is.
pub(super) fn stylesheet() -> &'static str {
    &STYLESHEET_PATH
}

/// A page with its style inside, as a file by itself: what it links to is on a server.
pub(super) fn inside(page: &str) -> String {
    let kept = page.lines().map(|line| match line {
        line if line.starts_with("<link rel=\"stylesheet\"") => format!("<style>\n{STYLESHEET}</style>\n"),
        line if line.starts_with("<link rel=\"icon\"") => String::new(),
        line => format!("{line}\n"),
    });
    kept.collect()
}

pub(super) async fn serve(Path(file): Path<String>) -> Result<Response, Failed> {
    let (kind, keep, content) = match file.as_str() {
        name if name == STYLESHEET_NAME.as_str() => ("text/css; charset=utf-8", FOR_EVER, STYLESHEET),
        "koe.css" => ("text/css; charset=utf-8", A_DAY, STYLESHEET),
        "koe.svg" => ("image/svg+xml", A_DAY, ICON),
        _ => return Err(Failed(HttpCode::NotFound.into())),
    };
    Ok(([(CONTENT_TYPE, kind), (CACHE_CONTROL, keep)], content).into_response())
}
