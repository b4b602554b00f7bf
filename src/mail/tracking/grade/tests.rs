use std::net::{IpAddr, Ipv4Addr};

use super::*;

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
const GMAIL: &str =
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)";

fn facts(kind: HitKind, user_agent: &str) -> Facts<'_> {
    Facts {
        kind,
        fetch: Fetch::Get,
        user_agent,
        ip: IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9)),
        to_self: false,
        sending: false,
        seconds_since_delivery: Some(3600),
    }
}

fn class(facts: &Facts<'_>) -> HitClass {
    Grader::built_in().unwrap().grade(facts).class
}

#[test]
fn known_agents_get_their_class() {
    let table = [
        (FIREFOX, HitClass::Human),
        ("Mozilla/4.0 (compatible; ms-office; MSOffice 16)", HitClass::Human),
        (GMAIL, HitClass::ImageProxy),
        (
            "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
            HitClass::ImageProxy,
        ),
        ("Mozilla/5.0", HitClass::PrivacyPrefetch),
        (" mozilla/5.0 ", HitClass::PrivacyPrefetch),
        ("Mozilla/5.0 (compatible; Barracuda Sentinel)", HitClass::SecurityScanner),
        ("Mozilla/5.0 (compatible; bingbot/2.0)", HitClass::SecurityScanner),
        ("python-requests/2.32", HitClass::SecurityScanner),
        ("curl/8.5.0", HitClass::SecurityScanner),
        ("", HitClass::Unknown),
        ("something new", HitClass::Unknown),
    ];
    for (agent, expected) in table {
        assert_eq!(class(&facts(HitKind::Open, agent)), expected, "{agent}");
    }
}

#[test]
fn networks_tell_what_an_agent_hides() {
    let mut hit = facts(HitKind::Open, FIREFOX);
    hit.ip = "66.249.84.1".parse().unwrap();
    let grade = Grader::built_in().unwrap().grade(&hit);
    assert_eq!(
        (grade.class, grade.rule.as_str()),
        (HitClass::ImageProxy, "network:66.249.80.0/20")
    );
    hit.ip = "::ffff:17.58.0.1".parse().unwrap();
    assert_eq!(class(&hit), HitClass::PrivacyPrefetch);
}

#[test]
fn nobody_reads_at_once() {
    let at =
        |kind, seconds| Facts { seconds_since_delivery: Some(seconds), ..facts(kind, FIREFOX) };
    assert_eq!(class(&at(HitKind::Click, 4)), HitClass::SecurityScanner);
    assert_eq!(class(&at(HitKind::Click, 5)), HitClass::Human);
    assert_eq!(class(&at(HitKind::Open, 1)), HitClass::SecurityScanner);
    assert_eq!(class(&at(HitKind::Open, 2)), HitClass::Human);
    // A filter that looks while the delivery still waits for its 250.
    let during =
        Facts { seconds_since_delivery: None, sending: true, ..facts(HitKind::Click, FIREFOX) };
    assert_eq!(class(&during), HitClass::SecurityScanner);
    // A provider's proxy is one, however quick it is.
    let proxy = Facts { seconds_since_delivery: Some(0), ..facts(HitKind::Open, GMAIL) };
    assert_eq!(class(&proxy), HitClass::ImageProxy);
}

#[test]
fn what_is_certain_goes_first() {
    let grader = Grader::built_in().unwrap();
    let all = Facts { fetch: Fetch::Head, to_self: true, ..facts(HitKind::Open, GMAIL) };
    assert_eq!(grader.grade(&all).rule, "to_self");
    assert_eq!(grader.grade(&Facts { to_self: false, ..all }).rule, "head");
    let prefetch = Facts { to_self: false, fetch: Fetch::Prefetch, ..all };
    assert_eq!(grader.grade(&prefetch).rule, "prefetch");
}

#[test]
fn a_file_with_a_mistake_is_refused() {
    for bad in [
        "class = 'person'\nagents = ['a']",
        "agents = ['a']",
        "class = 'human'\nnetworks = ['10.0.0.0']",
        "class = 'human'\nagent = 'a'",
    ] {
        assert!(Grader::parse(&format!("[[group]]\n{bad}")).is_err(), "{bad}");
    }
}
