//! The readers' door: pages drawn on the server, which work whole without any script.

mod assets;
mod deeds;
mod forms;
mod front;
mod login;
mod place;
mod queue;
mod thread;
mod view;
mod way;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, VARY};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use wire::error::Failure;

use crate::handler::App;
use crate::input::Params;
use crate::problem::Problem;
use crate::visitor::Visitor;
use view::{Frame, Notice, ProblemPage};

pub(crate) fn router() -> Router<App> {
    let comments = |rest: &str| format!("/sites/{{site}}/threads/{{thread}}/comments{rest}");
    Router::new()
        .route("/", get(front::front))
        .route("/sites/{site}", get(front::site))
        .route("/sites/{site}/queue", get(queue::show))
        .route("/sites/{site}/threads/{thread}", get(thread::show))
        .route(&comments(""), get(to_thread).post(forms::post_comment))
        .route(&comments("/{number}"), get(thread::show_comment))
        .route(&comments("/{comment}/vote"), post(deeds::cast_vote))
        .route(&comments("/{comment}/edit"), post(deeds::edit))
        .route(&comments("/{comment}/deletion"), post(deeds::delete))
        .route(&comments("/{comment}/flag"), post(deeds::flag))
        .route(&comments("/{comment}/withdrawal"), post(deeds::withdraw_flag))
        .route(&comments("/{comment}/hold"), post(deeds::hold))
        .route(&comments("/{comment}/approval"), post(deeds::approve))
        .route(&comments("/{comment}/removal"), post(deeds::remove))
        .route(&comments("/{comment}/restoration"), post(deeds::restore))
        .route(&comments("/{comment}/feature"), post(deeds::feature))
        .route(&comments("/{comment}/resolution"), post(deeds::resolve_flags))
        .route(&comments("/{comment}/removals"), post(deeds::remove_all))
        .route(&comments("/{comment}/void-votes"), post(deeds::void_votes))
        .route("/login", get(login::show).post(login::begin))
        .route("/logout", post(login::end))
        .route("/assets/{file}", get(assets::serve))
}

/// A thread's page as a file by itself.
pub(crate) fn still(
    (site, thread): (&domain::SiteId, &domain::ThreadId),
    reply: wire::v1::ThreadPageReply,
    moment: String,
    now: jiff::Timestamp,
) -> Result<String, askama::Error> {
    let (way, draft) = (way::Way::default(), view::Draft::default());
    let asked = view::Asked { site, thread, way: &way, session: None, moderate: false, draft, notice: None, now };
    Ok(assets::inside(&view::ThreadPage::new(asked, reply).still(moment).render()?))
}

/// Why readers do not see a comment.
pub(crate) fn state_line(comment: &wire::v1::Comment) -> String {
    view::state_line(comment, false)
}

/// After a refused form the address is that of the form: loading it again leads back to the thread.
async fn to_thread(
    State(_): State<App>,
    params: Result<Params<(domain::SiteId, domain::ThreadId)>, Problem>,
) -> Result<Redirect, Failed> {
    let Params((site, thread)) = params?;
    Ok(Redirect::to(&thread_path(&site, &thread)))
}

/// A problem that a reader is told on a page of its own.
#[derive(Debug)]
pub(crate) struct Failed(pub(crate) Problem);

impl<E: Into<Problem>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        problem(&self.0)
    }
}

/// The page of a problem.
pub(crate) fn problem(problem: &Problem) -> Response {
    problem_with(problem, String::new(), ("/", "All discussions"))
}

/// The page of a problem that keeps what was typed, and leads back.
fn problem_with(problem: &Problem, typed: String, back: (&str, &str)) -> Response {
    let heading = match problem.status.as_u16() {
        401 => "Please log in",
        403 => "This is not allowed",
        404 => "Nothing here",
        503 => "One moment, please",
        _ => "This did not work",
    };
    let page = ProblemPage {
        frame: Frame::plain(heading, back.0),
        heading,
        notice: Notice::of(problem),
        typed,
        back_href: back.0.to_owned(),
        back_text: back.1.to_owned(),
    };
    problem.mark(html(&page, true))
}

/// A page as an answer. What a reader with a session sees is kept nowhere.
fn html(page: &impl Template, private: bool) -> Response {
    let Ok(text) = page.render() else {
        return Problem::from(Failure::Internal).into_response();
    };
    let keep = if private { "no-store" } else { "max-age=0, must-revalidate" };
    let headers = [(CACHE_CONTROL, HeaderValue::from_static(keep)), (VARY, HeaderValue::from_static("Cookie"))];
    (headers, Html(text)).into_response()
}

fn is_private(visitor: &Visitor) -> bool {
    visitor.session.is_some()
}

fn thread_path(site: &domain::SiteId, thread: &domain::ThreadId) -> String {
    format!("/sites/{site}/threads/{thread}")
}

/// An address with parameters; empty ones are left out.
fn address(path: &str, parameters: &[(&str, &str)], fragment: &str) -> String {
    let mut address = path.to_owned();
    let mut mark = '?';
    for (name, value) in parameters.iter().filter(|(_, value)| !value.is_empty()) {
        address.push(mark);
        address.push_str(name);
        address.push('=');
        write_encoded(&mut address, value);
        mark = '&';
    }
    if !fragment.is_empty() {
        address.push('#');
        address.push_str(fragment);
    }
    address
}

const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];

/// Percent-encoding of everything that RFC 3986 does not call unreserved.
fn write_encoded(address: &mut String, value: &str) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            address.push(char::from(byte));
        } else {
            address.push('%');
            address.extend([byte >> 4, byte & 0xf].map(|half| HEX.get(usize::from(half)).copied().unwrap_or('0')));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_encodes_what_strangers_typed() {
        assert_eq!(
            address("/a", &[("after", ""), ("next", "/b?c=d&e\r\n声")], "post"),
            "/a?next=%2Fb%3Fc%3Dd%26e%0D%0A%E5%A3%B0#post"
        );
        assert_eq!(address("/a", &[], ""), "/a");
    }

    #[test]
    fn no_template_holds_a_script_or_a_style() {
        let templates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
        for entry in std::fs::read_dir(templates).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap().to_ascii_lowercase();
            for forbidden in ["<script", "<style", " style=", "javascript:", "<iframe", "http-equiv"] {
                assert!(!text.contains(forbidden), "{} holds {forbidden}", path.display());
            }
            let handler = text.split_ascii_whitespace().any(|word| word.starts_with("on") && word.contains('='));
            assert!(!handler, "{} holds an event handler", path.display());
        }
    }
}
