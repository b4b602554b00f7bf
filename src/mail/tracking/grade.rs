//! Who caused a hit? A pure function of what the request shows.

use std::net::IpAddr;

use serde::Deserialize;

use crate::domain::hit::{Fetch, Grade, HitClass, HitKind};
use crate::domain::network::Network;

/// What is known about a hit when it is graded.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Pixel or link.
    pub kind: HitKind,
    /// How it was asked for.
    pub fetch: Fetch,
    /// The User-Agent as sent.
    pub user_agent: &'a str,
    /// Where the request came from.
    pub ip: IpAddr,
    /// The recipient is the sender.
    pub to_self: bool,
    /// The message was being delivered when the hit came.
    pub sending: bool,
    /// From the recipient's server's 250 to the hit; `None` when there was none yet.
    pub seconds_since_delivery: Option<i64>,
}

/// Nobody has opened a message within so many seconds of its delivery.
const FASTEST_OPEN: i64 = 2;
/// Nobody has read it and clicked within so many.
const FASTEST_CLICK: i64 = 5;

/// The rules of `agents.toml`, ready to be asked. Cheap to ask, made once.
#[derive(Clone, Debug)]
pub struct Grader {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    test: Test,
    class: HitClass,
    name: String,
}

#[derive(Clone, Debug)]
enum Test {
    /// In lower case.
    AgentContains(String),
    AgentIs(String),
    From(Network),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    group: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    class: String,
    #[serde(default)]
    agents: Vec<String>,
    #[serde(default)]
    exact: Vec<String>,
    #[serde(default)]
    networks: Vec<String>,
}

impl Grader {
    /// The rules that are built in.
    ///
    /// # Errors
    /// Says which rule cannot be read; a test holds that all can.
    pub fn built_in() -> Result<Self, String> {
        Self::parse(include_str!("agents.toml"))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|e| e.to_string())?;
        let mut rules = Vec::new();
        for group in file.group {
            group.read_into(&mut rules)?;
        }
        Ok(Self { rules })
    }

    /// Grades one hit. What the message and the request say for certain goes
    /// before what the agent calls itself.
    pub fn grade(&self, facts: &Facts<'_>) -> Grade {
        let certain = if facts.to_self {
            Some((HitClass::OwnView, "to_self"))
        } else if facts.fetch == Fetch::Head {
            Some((HitClass::SecurityScanner, "head"))
        } else if facts.fetch == Fetch::Prefetch {
            Some((HitClass::PrivacyPrefetch, "prefetch"))
        } else {
            None
        };
        if let Some((class, rule)) = certain {
            return Grade { class, rule: rule.to_owned() };
        }
        let agent = facts.user_agent.trim().to_ascii_lowercase();
        let known = self.rules.iter().find(|rule| rule.test.matches(&agent, facts.ip));
        match known {
            // A reader takes time; what calls itself a browser and does not is none.
            Some(Rule { class: HitClass::Human, .. }) | None if too_soon(facts) => {
                Grade { class: HitClass::SecurityScanner, rule: "too_soon".to_owned() }
            }
            Some(rule) => Grade { class: rule.class, rule: rule.name.clone() },
            None => Grade { class: HitClass::Unknown, rule: "none".to_owned() },
        }
    }
}

fn too_soon(facts: &Facts<'_>) -> bool {
    let fastest = match facts.kind {
        HitKind::Open => FASTEST_OPEN,
        HitKind::Click => FASTEST_CLICK,
    };
    facts.seconds_since_delivery.map_or(facts.sending, |seconds| seconds < fastest)
}

impl Group {
    fn read_into(self, rules: &mut Vec<Rule>) -> Result<(), String> {
        let class = HitClass::parse(&self.class)
            .ok_or_else(|| format!("'{}' is no class of hit", self.class))?;
        let mut add = |test, name| rules.push(Rule { test, class, name });
        for agent in self.agents.into_iter().filter(|part| !part.is_empty()) {
            add(Test::AgentContains(agent.to_ascii_lowercase()), format!("agent:{agent}"));
        }
        for agent in self.exact {
            add(Test::AgentIs(agent.to_ascii_lowercase()), format!("agent:={agent}"));
        }
        for network in self.networks {
            add(Test::From(network.parse()?), format!("network:{network}"));
        }
        Ok(())
    }
}

impl Test {
    fn matches(&self, agent: &str, ip: IpAddr) -> bool {
        match self {
            Self::AgentContains(part) => agent.contains(part.as_str()),
            Self::AgentIs(all) => agent == all,
            Self::From(network) => network.contains(ip),
        }
    }
}

#[cfg(test)]
mod tests;
