//! docs/asyncapi.yaml against the real thing: what runs, what decodes, where it is sent, and what is refused.
//!
//! The document is made by tools/asyncapi; what is held against it here is not.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use client::new_command_id;
use domain::{Content, Event, Place, ThreadId};
use prost::Message as _;
use serde_json::{Map, Value, json};
use wire::{Code, Format, subject, v1};

use crate::sandbox::{Sandbox, eventually, root, text};

/// A comment of the examples by ann, and one by ben.
const COMMENTS: [&str; 2] = ["019cd1a9-eba0-7000-8000-000000000001", "019cd1a9-eba0-7000-8000-000000000002"];
/// The thread of the examples.
const THREAD: &str = "memorial-service";
/// Events whose thread token is `all`.
const OF_SITES: [&str; 9] = [
    "site-opened",
    "site-set",
    "author-named",
    "author-banned",
    "author-unbanned",
    "votes-voided",
    "votes-unvoided",
    "author-erased",
    "messages-erased",
];
/// More characters than any field has.
const CHARS: usize = 20_000;
/// More messages than any list has, and more words.
const MESSAGES: usize = 501;
const WORDS: usize = 10_001;

struct Document(Value);

impl Document {
    fn read() -> Self {
        let file = std::fs::read_to_string(root().join("docs/asyncapi.yaml")).unwrap();
        Self(serde_saphyr::from_str(&file).unwrap())
    }

    /// What a `$ref` stands for, also where it stands in an `allOf` beside a description.
    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        let place = value["$ref"].as_str().or_else(|| value["allOf"][0]["$ref"].as_str());
        match place {
            Some(place) => self.resolve(self.0.pointer(place.strip_prefix('#').unwrap()).unwrap()),
            None => value,
        }
    }

    fn map(&self, place: &str) -> &Map<String, Value> {
        self.0.pointer(place).and_then(Value::as_object).unwrap()
    }

    /// The channels of a group, `command` or `query`, by the last token of their subject.
    fn channels(&self, group: &str) -> BTreeMap<&str, &Value> {
        let prefix = format!("{group}.");
        self.map("/channels").iter().filter_map(|(name, it)| Some((name.strip_prefix(&prefix)?, it))).collect()
    }

    /// The schema and the example of a message.
    fn message<'a>(&'a self, message: &'a Value) -> (&'a Value, &'a Value) {
        let message = self.resolve(message);
        (self.resolve(&message["payload"]), &message["examples"][0]["payload"])
    }

    /// The verbs and queries, each with its channel.
    fn requests(&self) -> Vec<Request<'_>> {
        let groups = ["command", "query"].into_iter().flat_map(|group| self.channels(group));
        groups
            .map(|(token, channel)| {
                let (schema, example) = self.message(&channel["messages"][token]);
                Request { token, address: channel["address"].as_str().unwrap(), schema, example }
            })
            .collect()
    }
}

/// A command or query as the document has it.
struct Request<'a> {
    token: &'a str,
    address: &'a str,
    schema: &'a Value,
    example: &'a Value,
}

impl Request<'_> {
    fn is_command(&self) -> bool {
        self.address.starts_with("koe.v1.command.")
    }

    fn requires(&self, field: &str) -> bool {
        self.schema["required"].as_array().is_some_and(|fields| fields.iter().any(|name| name == field))
    }

    /// Where a request about a thread of the site `s` is sent, by filling in the address.
    fn subject(&self, thread: Option<&str>) -> String {
        let thread = thread.and_then(|thread| thread.parse::<ThreadId>().ok());
        let partition = |thread| subject::partition(&"s".parse().unwrap(), &thread).to_string();
        let partition = thread.map_or_else(|| "all".to_owned(), partition);
        self.address.replace("{site}", "s").replace("{partition}", &partition)
    }
}

fn keys<'a>(of: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    of.into_iter().map(ToOwned::to_owned).collect()
}

#[test]
fn the_document_is_what_the_contract_makes_it() {
    let made = Command::new(root().join("tools/asyncapi")).arg("--check").output().unwrap();
    assert!(made.status.success(), "{}", text(&made.stderr));
}

macro_rules! round_trips {
    ($($message:ident)*) => {
        /// A JSON message read as the one of that name and written again.
        fn round_trip(name: &str, json: &Value) -> Value {
            let bytes = serde_json::to_vec(json).unwrap();
            let written = match name {
                $(concat!("koe.v1.", stringify!($message)) => {
                    let read = Format::Json.decode::<v1::$message>(&bytes);
                    Format::Json.encode(&read.unwrap_or_else(|error| panic!("{name}: {error}")))
                })*
                other => panic!("{other} is not in the list"),
            };
            serde_json::from_slice(&written).unwrap()
        }
    };
}

round_trips! {
    Envelope ThreadChanged Error CommandReply CastVotesReply
    OpenSiteRequest SetSiteRequest OpenThreadRequest UpdateThreadRequest SetThreadModeRequest MoveThreadRequest
    NameAuthorRequest BanAuthorRequest UnbanAuthorRequest PostCommentRequest EditCommentRequest DeleteCommentRequest
    HoldCommentRequest ApproveCommentRequest RemoveCommentRequest RestoreCommentRequest FeatureCommentRequest
    FlagCommentRequest WithdrawFlagRequest ResolveFlagsRequest CastVoteRequest CastVotesRequest
    VoidVotesRequest UnvoidVotesRequest RemoveCommentsRequest UndoRemovalRequest EraseCommentRequest EraseAuthorRequest
    ThreadPageRequest ThreadPageReply CountsRequest CountsReply ThreadsRequest ThreadsReply SitesRequest SitesReply
    ResolveRequest ResolveReply ChangesRequest ChangesReply SiteRequest SiteReply CommandStatusRequest
    CommandStatusReply FactsRequest FactsReply QueueRequest QueueReply CommentRequest CommentReply AuthorRequest
    AuthorReply ActivityRequest ActivityReply CommentViewRequest CommentViewReply AuthorCommentsRequest
    AuthorCommentsReply AuditRequest AuditReply OwnDataRequest OwnDataReply StatusRequest StatusReply DigestRequest
    DigestReply RebuildRequest RebuildReply SwitchRequest SwitchReply DropGenerationRequest
    DropGenerationReply
}

#[test]
fn every_example_is_the_message_that_it_stands_for() {
    let document = Document::read();
    let messages = document.map("/components/messages");
    assert!(messages.len() > 70, "{}", messages.len());
    for (name, message) in messages {
        let protobuf = message["x-protobuf-message"].as_str().unwrap();
        let (_, example) = document.message(message);
        assert!(example.is_object(), "{name} has no example");
        assert_eq!(&round_trip(protobuf, example), example, "{name}");
    }
}

#[test]
fn every_example_of_an_event_can_be_read_under_its_subject() {
    let document = Document::read();
    let channel = &document.map("/channels")["event"];
    let kinds = channel["messages"].as_object().unwrap();
    assert_eq!(keys(kinds.keys().map(String::as_str)), keys(Event::KINDS.iter().copied()));
    let named = channel["parameters"]["type"]["enum"].as_array().unwrap();
    assert_eq!(keys(named.iter().map(|kind| kind.as_str().unwrap())), keys(Event::KINDS.iter().copied()));
    for (kind, message) in kinds {
        let thread = (!OF_SITES.contains(&kind.as_str())).then_some(THREAD);
        let place = Place { site: "demo".parse().unwrap(), thread: thread.map(|thread| thread.parse().unwrap()) };
        let partition = place.thread.as_ref().map(|thread| subject::partition(&place.site, thread).to_string());
        let subject = channel["address"].as_str().unwrap().replace("{site}", "demo").replace("{type}", kind);
        let subject = subject.replace("{partition}", partition.as_deref().unwrap_or("all"));
        let subject = subject.replace("{thread}", thread.unwrap_or("all"));
        assert_eq!(subject, subject::event(&place, kind));

        let (_, example) = document.message(message);
        let envelope: v1::Envelope = Format::Json.decode(example.to_string().as_bytes()).unwrap();
        let bytes = envelope.encode_to_vec();
        let recorded = wire::envelope::decode(7, &subject, &envelope.id, &bytes);
        let Content::Event(read) = recorded.content else { panic!("{kind}: {:?}", recorded.content) };
        assert_eq!((read.event.kind(), recorded.place), (kind.as_str(), Some(place)));
        assert_eq!(wire::envelope::encode(&read), bytes, "{kind}");
    }
}

#[test]
fn every_subject_is_where_the_services_listen() {
    let document = Document::read();
    let (site, thread) = ("s".parse().unwrap(), "t".parse().unwrap());
    for request in document.requests() {
        let expected = if request.is_command() {
            subject::command(&site, request.token)
        } else if request.address.contains("{partition}") {
            let place = Place { site: site.clone(), thread: Some("t".parse().unwrap()) };
            subject::query(Some(&place), request.token)
        } else if request.address.contains("{site}") {
            subject::query(Some(&Place { site: site.clone(), thread: None }), request.token)
        } else {
            subject::query(None, request.token)
        };
        assert_eq!(request.subject(Some("t")), expected);
    }
    let change = document.map("/channels")["change"]["address"].as_str().unwrap();
    assert_eq!(change.replace("{site}", "s").replace("{thread}", "t"), subject::change(&site, &thread));
}

#[test]
fn every_code_of_an_error_is_named() {
    let document = Document::read();
    let named = &document.map("/components/schemas")["Error"]["properties"]["code"]["enum"];
    let named = named.as_array().unwrap().iter().map(|code| code.as_str().unwrap());
    assert_eq!(keys(named), keys(Code::every().map(Code::as_str)));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_endpoint_that_the_services_announce_is_in_the_document_and_no_other() {
    let sandbox = Sandbox::start().await;
    let document = Document::read();
    for (group, services, of) in [
        ("command", &["koe-comments", "koe-votes"][..], subject::commands as fn(&str) -> String),
        ("query", &["koe-queries"][..], subject::queries),
    ] {
        let mut announced = BTreeSet::new();
        for service in services {
            let info = format!("$SRV.INFO.{service}");
            let info = eventually("the service is announced", async || {
                let answer = sandbox.connection.request(info.clone(), bytes::Bytes::new()).await.ok()?;
                serde_json::from_slice::<Value>(&answer.payload).ok()
            })
            .await;
            for endpoint in info["endpoints"].as_array().unwrap() {
                let name = endpoint["name"].as_str().unwrap();
                assert_eq!(endpoint["subject"], of(name));
                assert!(announced.insert(name.to_owned()), "{name} is announced twice");
                let tags = &document.map("/operations")[&format!("{group}.{name}")]["tags"];
                assert_eq!(tags[0]["name"], *service, "{name}");
            }
        }
        assert_eq!(announced, keys(document.channels(group).into_keys()), "{group}");
    }
}

/// An answer's body and, if it is an error, its code. The headers of an error are those of the contract.
async fn ask(sandbox: &Sandbox, subject: &str, body: &Value) -> (Value, Option<Code>) {
    let answer = eventually("the services answer", async || {
        let mut headers = async_nats::HeaderMap::new();
        headers.insert("content-type", "application/json");
        let request = async_nats::Request::new().headers(headers).payload(body.to_string().into());
        let answer = sandbox.connection.send_request(subject.to_owned(), request).await.ok()?;
        let header = |name| answer.headers.as_ref()?.get(name).map(ToString::to_string);
        assert_eq!(header("content-type").as_deref(), Some("application/json"), "{subject}");
        let said: Value = serde_json::from_slice(&answer.payload).unwrap();
        let Some(code) = header("Nats-Service-Error") else { return Some((said, None)) };
        let code = Code::from_word(&code).unwrap_or_else(|| panic!("{subject}: {code} is no code"));
        assert_eq!(header("Nats-Service-Error-Code"), Some(code.status().to_string()), "{subject}");
        assert_eq!(said["code"], code.as_str());
        assert!(!said["message"].as_str().unwrap().is_empty());
        // What is not there yet will be.
        (code.status() != 503).then_some((said, Some(code)))
    });
    let (said, code) = answer.await;
    // Of many votes, each has an answer of its own.
    let one = said["replies"][0]["refused"]["code"].as_str().and_then(Code::from_word);
    let code = code.or(one);
    let shown: String = body.to_string().chars().take(300).collect();
    assert!(code.is_none_or(|code| code.status() < 500), "{subject} {shown}: {said}");
    (said, code)
}

/// The examples, made to fit a sandbox.
struct Fitting {
    comments: [String; 2],
    position: String,
}

impl Fitting {
    async fn of(sandbox: &Sandbox) -> Self {
        let comments = [sandbox.post("ann", "I was there").await, sandbox.post("ben", "So was I.").await];
        Self { comments: comments.map(|comment| comment.to_string()), position: sandbox.end().await }
    }

    /// An example with this sandbox's thread, comments and position, and ids of now.
    fn fit(&self, example: &Value) -> Value {
        match example {
            Value::Object(fields) => {
                let fit = fields.iter().map(|(name, value)| {
                    let value = if name == "id" && value.as_str().is_some_and(|id| id.len() == 36) {
                        json!(new_command_id().to_string())
                    } else {
                        self.fit(value)
                    };
                    (name.clone(), value)
                });
                Value::Object(fit.collect())
            }
            Value::Array(values) => values.iter().map(|value| self.fit(value)).collect(),
            Value::String(text) if text == THREAD => json!("t"),
            Value::String(text) if text.starts_with("0-") => json!(self.position),
            Value::String(text) => match COMMENTS.iter().zip(&self.comments).find(|(id, _)| *id == text) {
                Some((_, comment)) => json!(comment),
                None => example.clone(),
            },
            other => other.clone(),
        }
    }
}

fn thread_of(body: &Value) -> Option<&str> {
    body["thread"].as_str()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_what_it_needs_is_refused_and_without_anything_else_it_is_not() {
    let sandbox = Sandbox::start().await;
    for request in Document::read().requests() {
        let fitting = Fitting::of(&sandbox).await;
        let (_, code) = ask(&sandbox, &request.subject(None), &json!({})).await;
        let needs = request.schema["required"].is_array();
        assert!(needs || !request.is_command(), "{} needs an id and an actor", request.token);
        let expected = if needs { Some(400) } else { None };
        assert_eq!(code.map(Code::status), expected, "{} of {{}}: {code:?}", request.token);

        let whole = request.example.as_object().unwrap();
        for missing in [None].into_iter().chain(whole.keys().map(Some)) {
            let mut body = fitting.fit(request.example);
            let thread = thread_of(&body).map(ToOwned::to_owned);
            if let Some(missing) = missing {
                body.as_object_mut().unwrap().remove(missing);
            }
            // A thread that may be left out is left out of the subject too.
            let thread = thread.filter(|_| missing.is_none_or(|name| name != "thread" || request.requires(name)));
            let (said, code) = ask(&sandbox, &request.subject(thread.as_deref()), &body).await;
            let refused = code.is_some_and(|code| code.status() == 400);
            // The comment that the audit is asked about needs its thread.
            let of_audit = request.token == "audit" && missing.is_some_and(|missing| missing == "thread");
            let needed = of_audit || missing.is_some_and(|missing| request.requires(missing));
            assert_eq!(refused, needed, "{} without {missing:?}: {said}", request.token);
        }
    }
}

/// The values of a schema that are too long or too large in one place each, the rest being as in the base.
fn too_long(document: &Document, schema: &Value, base: &Value) -> Vec<(String, Value)> {
    let schema = document.resolve(schema);
    if let Some(properties) = schema["properties"].as_object() {
        let each = properties.iter().flat_map(|(name, property)| {
            too_long(document, property, &base[name]).into_iter().map(move |(place, value)| {
                let mut changed = base.as_object().cloned().unwrap_or_default();
                changed.insert(name.clone(), value);
                (format!("{name}.{place}"), Value::Object(changed))
            })
        });
        return each.collect();
    }
    let whole = |value| vec![(String::new(), value)];
    match schema["type"].as_str().unwrap() {
        "string" => whole(json!("x".repeat(CHARS))),
        "integer" => whole(json!(u32::MAX)),
        "boolean" => Vec::new(),
        "array" => {
            let inside = too_long(document, &schema["items"], &base[0]).into_iter();
            let inside = inside.map(|(place, value)| (format!("0.{place}"), json!([value])));
            let many = if base[0].is_object() { vec![base[0].clone(); MESSAGES] } else { vec![json!("w"); WORDS] };
            inside.chain([(format!("{} times", many.len()), Value::Array(many))]).collect()
        }
        other => panic!("{other} is not in the list"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_with_a_field_too_long_is_refused_with_a_code_that_says_so() {
    let sandbox = Sandbox::start().await;
    let fitting = Fitting::of(&sandbox).await;
    let document = Document::read();
    let mut asked = 0;
    for request in document.requests() {
        let base = fitting.fit(request.example);
        for (place, body) in too_long(&document, request.schema, &base) {
            let thread = thread_of(&body).or(thread_of(&base));
            let (said, code) = ask(&sandbox, &request.subject(thread), &body).await;
            asked += 1;
            // The version of settings is only compared: any other is another.
            if place == "knownVersion." {
                assert_eq!(code, None, "{said}");
                continue;
            }
            assert!(code.is_some(), "{} takes {place}: {said}", request.token);
        }
    }
    assert!(asked > 200, "{asked}");
}
