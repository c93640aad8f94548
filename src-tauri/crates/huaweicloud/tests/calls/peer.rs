//! A service on the loopback interface that keeps what it is asked and answers what it is told to.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use percent_encoding::percent_decode_str;

/// A request as a service received it.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    pub path: String,
    /// Decoded.
    pub query: Vec<(String, String)>,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut named = self.headers.iter().filter(|(n, _)| n == name);
        named.next().map(|(_, value)| value.as_str())
    }

    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut named = self.query.iter().filter(|(n, _)| n == name);
        named.next().map(|(_, value)| value.as_str())
    }
}

/// An answer: its status, headers and body.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

pub fn answer(status: u16, body: impl Into<Vec<u8>>) -> Answer {
    Answer {
        status,
        headers: Vec::new(),
        body: body.into(),
    }
}

#[derive(Clone, Default)]
pub struct Peer {
    state: Arc<Mutex<Talk>>,
}

#[derive(Default)]
struct Talk {
    seen: Vec<Seen>,
    answers: VecDeque<Answer>,
    /// What is answered when there is nothing else left to answer.
    rest: Option<Answer>,
}

impl Peer {
    pub async fn start() -> (Self, String) {
        let peer = Self::default();
        let router = Router::new().fallback(serve).with_state(peer.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (peer, url)
    }

    /// Forgets everything, and answers these from now on.
    pub fn will_answer(&self, answers: impl IntoIterator<Item = Answer>, rest: Option<Answer>) {
        *self.state.lock().unwrap() = Talk {
            seen: Vec::new(),
            answers: answers.into_iter().collect(),
            rest,
        };
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.state.lock().unwrap().seen.clone()
    }
}

async fn serve(State(peer): State<Peer>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let decode = |text: &str| percent_decode_str(text).decode_utf8().unwrap().into_owned();
    let seen = Seen {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts
            .uri
            .query()
            .unwrap_or_default()
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').map(|(k, v)| (decode(k), decode(v))).unwrap())
            .collect(),
        headers: parts
            .headers
            .iter()
            .map(|(name, value)| {
                let value = String::from_utf8(value.as_bytes().to_vec()).unwrap();
                (name.to_string(), value)
            })
            .collect(),
        body: body.to_vec(),
    };
    let mut talk = peer.state.lock().unwrap();
    talk.seen.push(seen);
    let answer = talk.answers.pop_front().or_else(|| talk.rest.clone());
    let answer = answer.unwrap_or(Answer {
        status: 410,
        headers: Vec::new(),
        body: Vec::new(),
    });
    let mut response = Response::builder()
        .status(answer.status)
        .header("x-request-id", "request-1");
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(answer.body)).unwrap()
}
