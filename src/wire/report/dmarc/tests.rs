use proptest::prelude::*;

use super::*;

/// In the form that Google's reports have.
pub(crate) const GOOGLE: &str = r#"<?xml version="1.0" encoding="UTF-8" ?>
<feedback>
  <report_metadata>
    <org_name>google.com</org_name>
    <email>reports@google.example</email>
    <extra_contact_info>https://support.example/dmarc</extra_contact_info>
    <report_id>9391651994964116463</report_id>
    <date_range><begin>1335571200</begin><end>1335657599</end></date_range>
  </report_metadata>
  <policy_published>
    <domain>example.com</domain><adkim>r</adkim><aspf>r</aspf><p>none</p><sp>none</sp><pct>100</pct>
  </policy_published>
  <record>
    <row>
      <source_ip>203.0.113.5</source_ip><count>2</count>
      <policy_evaluated><disposition>none</disposition><dkim>fail</dkim><spf>pass</spf></policy_evaluated>
    </row>
    <identifiers><header_from>example.com</header_from></identifiers>
    <auth_results>
      <dkim><domain>example.com</domain><result>fail</result><human_result></human_result></dkim>
      <spf><domain>example.com</domain><result>pass</result></spf>
    </auth_results>
  </record>
</feedback>"#;

/// In the form of Microsoft's and Yahoo's: a namespace, elements in another order, several records,
/// reasons, results of both kinds mixed.
const OTHERS: &str = r#"<feedback xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <version>1.0</version>
  <report_metadata><org_name>Enterprise Outlook</org_name><email>dmarc@outlook.example</email>
    <report_id>8be0a2f6</report_id><date_range><begin>1700000000</begin><end>1700086400</end></date_range></report_metadata>
  <policy_published><domain>example.com</domain><adkim>s</adkim><aspf>s</aspf><p>reject</p><sp>quarantine</sp><pct>100</pct><fo>0</fo></policy_published>
  <record><row><source_ip>2001:db8::1</source_ip><count>7</count><policy_evaluated><disposition>none</disposition>
      <dkim>fail</dkim><spf>fail</spf><reason><type>local_policy</type><comment>arc=pass</comment></reason><reason><type>other</type></reason></policy_evaluated></row>
    <identifiers><envelope_to>rcpt.example</envelope_to><envelope_from>bounce.example.com</envelope_from><header_from>example.com</header_from></identifiers>
    <auth_results><dkim><domain>a.example</domain><selector>s1</selector><result>pass</result></dkim>
      <spf><domain>bounce.example.com</domain><scope>mfrom</scope><result>softfail</result></spf>
      <dkim><domain>b.example</domain><selector>s2</selector><result>none</result></dkim></auth_results></record>
  <extension><x><y>1</y></x></extension>
  <record><row><source_ip>192.0.2.9</source_ip><count>1</count><policy_evaluated><disposition>reject</disposition><dkim>fail</dkim><spf>fail</spf></policy_evaluated></row>
    <identifiers><header_from>mail.example.com</header_from></identifiers><auth_results><spf><domain>x.example</domain><result>fail</result></spf></auth_results></record>
</feedback>"#;

#[test]
fn the_usual_forms_are_read() {
    let google = Feedback::read(GOOGLE.as_bytes()).unwrap();
    assert_eq!(google.report_metadata.org_name, "google.com");
    assert_eq!(
        google.report_metadata.date_range,
        DateRange { begin: 1_335_571_200, end: 1_335_657_599 }
    );
    assert_eq!(google.policy_published.domain, "example.com");
    let record = &google.record[0];
    assert_eq!((record.row.source_ip.as_str(), record.row.count), ("203.0.113.5", 2));
    assert_eq!(record.row.policy_evaluated.spf, "pass");

    let others = Feedback::read(OTHERS.as_bytes()).unwrap();
    assert_eq!(others.record.len(), 2);
    let first = &others.record[0];
    assert_eq!(first.row.policy_evaluated.reason[0].comment, "arc=pass");
    assert_eq!(first.auth_results.dkim[1].selector, "s2");
    assert_eq!(first.auth_results.spf[0].result, "softfail");
    assert_eq!(first.identifiers.envelope_from, "bounce.example.com");
    assert_eq!(others.record[1].row.policy_evaluated.disposition, "reject");
}

#[test]
fn what_is_written_is_read_back() {
    let mut report = Feedback::read(OTHERS.as_bytes()).unwrap();
    report.namespace = NAMESPACE.to_owned();
    report.report_metadata.org_name = "Ours & <theirs>".to_owned();
    let xml = report.write().unwrap();
    assert!(xml.starts_with(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feedback xmlns="));
    assert_eq!(Feedback::read(&xml).unwrap(), report);
    report.record[0].identifiers.header_from = "a\u{1}b".to_owned();
    let read = Feedback::read(&report.write().unwrap()).unwrap();
    assert_eq!(read.record[0].identifiers.header_from, "a?b");
}

#[test]
fn tricks_are_refused() {
    let laughs = "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]>";
    let laughs = laughs.to_owned() + &GOOGLE.replace("google.com", "&b;");
    assert!(Feedback::read(laughs.as_bytes()).is_err());
    assert!(Feedback::read(b"<html><body>no</body></html>").is_err());
    assert!(Feedback::read(&b"<a>".repeat(200_000)).is_err());
    let deep = format!("<feedback>{}", "<x>".repeat(200_000));
    assert!(Feedback::read(deep.as_bytes()).is_err());
}

proptest! {
    #[test]
    fn rubbish_never_panics(cut in 0..GOOGLE.len(), octets in prop::collection::vec(any::<u8>(), 0..80)) {
        let mut broken = GOOGLE.as_bytes().to_vec();
        broken.splice(cut..(cut + 10).min(GOOGLE.len()), octets.iter().copied());
        let _ = Feedback::read(&broken);
        let _ = Feedback::read(&octets);
    }
}
