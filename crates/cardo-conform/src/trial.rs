//! One check, step by step.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;
use regex::{Captures, Regex};
use tokio::time::{Instant, sleep};
use url::Url;

use crate::answer::Answer;
use crate::check::{Failure, Outcome, Standard};
use crate::client::{Sent, encoded};
use crate::receiver::Inbox;
use crate::script::{Bound, Expectation, Request, Script, Statuses, Step, StepKind, Target};
use crate::session::Session;

/// How often a question is put again whose answer may take a while.
const AGAIN: Duration = Duration::from_millis(50);

const TENANT: &str = "NGSILD-Tenant";

/// A check under way.
pub(crate) struct Trial<'s> {
    session: &'s Session,
    base: &'s str,
    variables: HashMap<String, String>,
    inbox: Option<Inbox>,
    last: Option<(Sent, Answer)>,
    /// What was created: where, and headers that lead there.
    created: Vec<(String, Vec<(String, String)>)>,
    pattern: Regex,
    name: String,
}

impl<'s> Trial<'s> {
    pub(crate) fn new(
        session: &'s Session,
        base: &'s str,
        name: &str,
        mut variables: HashMap<String, String>,
    ) -> Self {
        let second = |shift: i64| {
            let now = Timestamp::now().as_second();
            Timestamp::from_second(now + shift).unwrap_or_default().to_string()
        };
        let inbox = session.receiver.as_ref().map(|receiver| {
            variables.insert("callback".to_owned(), receiver.url(name));
            receiver.inbox(name)
        });
        let fixed = [
            ("base", base.to_owned()),
            ("root", base.trim_end_matches("/ngsi-ld/v1").to_owned()),
            ("run", name.to_owned()),
            ("tenant", format!("conform{name}")),
            ("prefix", format!("urn:ngsi-ld:Conform:{name}:")),
            ("now", second(0)),
            ("soon", second(2)),
            ("past", second(-86_400)),
            ("future", second(86_400)),
        ];
        variables.extend(fixed.map(|(name, value)| (name.to_owned(), value)));
        let pattern = Regex::new(r"\$([A-Za-z_][A-Za-z0-9_]*)").expect("it is well-formed");
        let name = name.to_owned();
        Self { session, base, variables, inbox, last: None, created: Vec::new(), pattern, name }
    }

    /// Takes the steps until one fails.
    pub(crate) async fn run(&mut self, script: &Script) -> Outcome {
        for (at, step) in script.steps.iter().enumerate() {
            if let Err((request, (expected, came))) = self.step(step).await {
                return Outcome::Failed(Failure { expected, came, request, step: at + 1 });
            }
        }
        Outcome::Passed
    }

    async fn step(&mut self, step: &Step) -> Result<(), (String, (String, String))> {
        match &step.kind {
            StepKind::Send { request, eventually } => {
                let sent = self.fill_request(request);
                let until = Instant::now() + self.session.options.patience;
                loop {
                    let verdict = self.send(sent.clone(), step).await;
                    if verdict.is_ok() || !eventually || Instant::now() >= until {
                        return verdict.map_err(|verdict| (sent.curl(), verdict));
                    }
                    sleep(AGAIN).await;
                }
            }
            StepKind::Follow { relation } => {
                let Some((from, answer)) = self.last.take() else { return Ok(()) };
                let Some(url) = answer.link(relation).and_then(|link| absolute(&from.url, &link))
                else {
                    let expected = format!("a link {relation} that leads on");
                    return Err((from.curl(), (expected, answer.summary())));
                };
                let sent = Sent { method: "GET".to_owned(), url, body: None, ..from };
                self.send(sent.clone(), step).await.map_err(|verdict| (sent.curl(), verdict))
            }
            StepKind::Source { request, status } => {
                let request = self.fill_request(request);
                let target = request.url.strip_prefix(self.base).unwrap_or_default();
                let body = request.body.unwrap_or_default().into();
                if let Some(receiver) = &self.session.receiver {
                    let status = status.and_then(|status| StatusCode::from_u16(status).ok());
                    let line = format!("{} {target}", request.method);
                    receiver.answer(&self.name, line, status, body);
                }
                Ok(())
            }
            StepKind::Notified => {
                let patience = self.session.options.patience;
                let told = match &mut self.inbox {
                    Some(inbox) => inbox.next(patience).await,
                    None => None,
                };
                let line = || self.last.as_ref().map_or_else(String::new, |(sent, _)| sent.curl());
                let Some(told) = told else {
                    let came = format!("nothing within {patience:?}");
                    return Err((line(), ("a notification".to_owned(), came)));
                };
                self.judge(step, &told).map_err(|verdict| (line(), verdict))?;
                self.keep(step, None, &told);
                Ok(())
            }
        }
    }

    async fn send(&mut self, sent: Sent, step: &Step) -> Result<(), (String, String)> {
        let answer = self.session.client.send(&sent).await;
        let answer = answer.map_err(|reason| ("an answer".to_owned(), reason))?;
        if let Some(location) = answer.header("location").filter(|_| answer.status == 201) {
            let place = absolute(&sent.url, &location).unwrap_or(location);
            let tenant = |(name, _): &&(String, String)| name.eq_ignore_ascii_case(TENANT);
            let mut headers = self.session.options.headers.clone();
            headers.extend(sent.headers.iter().find(tenant).cloned());
            self.created.push((place, headers));
        }
        let verdict = self.judge(step, &answer);
        self.keep(step, Some(&sent.url), &answer);
        self.last = Some((sent, answer));
        verdict
    }

    fn judge(&self, step: &Step, answer: &Answer) -> Result<(), (String, String)> {
        let fill = |text: &str| self.fill(text);
        let says_status = |expectation: &Expectation| {
            matches!(expectation, Expectation::Status(_) | Expectation::Problem { .. })
        };
        let is_request = !matches!(step.kind, StepKind::Notified);
        if is_request && !step.expectations.iter().any(says_status) {
            let success = Expectation::Status(Statuses(vec!["2xx".to_owned()]));
            Bound { expectation: &success, fill: &fill }.judge(answer)?;
        }
        for expectation in &step.expectations {
            Bound { expectation, fill: &fill }.judge(answer)?;
            if let Expectation::Let { target, name, .. } = expectation
                && target.filled(&fill).find(answer).is_empty()
            {
                return Err((format!("a value for {name}"), answer.summary()));
            }
        }
        Ok(())
    }

    /// Keeps what later steps speak of.
    fn keep(&mut self, step: &Step, url: Option<&str>, answer: &Answer) {
        for expectation in &step.expectations {
            let Expectation::Let { name, target, last_segment } = expectation else { continue };
            let target = target.filled(&|text| self.fill(text));
            let Some(value) = target.find(answer).into_iter().next() else { continue };
            let mut value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            if *last_segment {
                value.drain(..value.rfind('/').map_or(0, |at| at + 1));
            } else if matches!(&target, Target::Header(name) if name == "Location" || name.ends_with("Map"))
                && let Some(place) = url.and_then(|url| absolute(url, &value))
            {
                value = place;
            }
            self.variables.insert(name.clone(), value);
        }
    }

    /// A text with its variables filled in.
    fn fill(&self, text: &str) -> String {
        let value = |captures: &Captures<'_>| {
            let name = &captures[1];
            match self.variables.get(name) {
                Some(value) => value.clone(),
                None if name.starts_with(|c: char| c.is_ascii_uppercase()) => {
                    format!("Conform{}{name}", self.name)
                }
                None => self.id(name),
            }
        };
        self.pattern.replace_all(text, value).into_owned()
    }

    fn id(&self, name: &str) -> String {
        format!("urn:ngsi-ld:Conform:{}:{name}", self.name)
    }

    fn fill_request(&self, request: &Request) -> Sent {
        let target = self.fill(&request.target);
        let url = if target.starts_with("http") {
            target
        } else {
            format!("{}{}", self.base, encoded(&target))
        };
        let mut headers: Vec<(String, String)> =
            request.headers.iter().map(|(name, value)| (name.clone(), self.fill(value))).collect();
        let body = request.body.as_ref().map(|body| self.fill(body));
        let has = |headers: &[(String, String)], wanted: &str| {
            headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted))
        };
        if body.is_some() && !has(&headers, "Content-Type") {
            headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
        }
        headers.retain(|(_, value)| value != "none");
        if let Some(tenant) = &self.session.options.tenant
            && !has(&headers, TENANT)
        {
            headers.push((TENANT.to_owned(), tenant.clone()));
        }
        headers.extend(self.session.options.headers.iter().cloned());
        Sent { method: request.method.clone(), url, headers, body }
    }

    /// Deletes what the check may have created; that it is gone already is as good.
    pub(crate) async fn clean_up(&mut self, script: &Script) {
        let mut places = std::mem::take(&mut self.created);
        if script.standard == Standard::NgsiLd {
            places.extend(self.places_of(script));
        }
        for (url, headers) in places {
            let sent = Sent { method: "DELETE".to_owned(), url, headers, body: None };
            let _ = self.session.client.send(&sent).await;
        }
    }

    /// Where the entities stand that a check speaks of, each with headers that lead there.
    fn places_of(&self, script: &Script) -> Vec<(String, Vec<(String, String)>)> {
        let mut places = Vec::new();
        let tenants: BTreeSet<Option<String>> = script
            .steps
            .iter()
            .filter_map(|step| match &step.kind {
                StepKind::Send { request, .. } => Some(self.fill_request(request)),
                _ => None,
            })
            .map(|sent| sent.headers.into_iter().find(|(name, _)| name == TENANT).map(|(_, t)| t))
            .collect();
        for name in self.ids_of(script) {
            for tenant in &tenants {
                let mut headers = self.session.options.headers.clone();
                headers.extend(tenant.iter().map(|tenant| (TENANT.to_owned(), tenant.clone())));
                for resource in ["entities", "temporal/entities"] {
                    let place = format!("{}/{resource}/{}", self.base, self.id(&name));
                    places.push((place, headers.clone()));
                }
            }
        }
        places
    }

    /// The names of entities that a check speaks of.
    fn ids_of(&self, script: &Script) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for step in &script.steps {
            let (StepKind::Send { request, .. } | StepKind::Source { request, .. }) = &step.kind
            else {
                continue;
            };
            for text in [Some(&request.target), request.body.as_ref()].into_iter().flatten() {
                let found = self.pattern.captures_iter(text).map(|found| found[1].to_owned());
                names.extend(found.filter(|name| {
                    name.starts_with(|c: char| c.is_ascii_lowercase())
                        && !self.variables.contains_key(name)
                }));
            }
        }
        names
    }
}

/// A link seen from where it was found.
fn absolute(from: &str, link: &str) -> Option<String> {
    Some(Url::parse(from).ok()?.join(link).ok()?.into())
}
