//! What is said of checks.

use std::time::Duration;

use cardo_conform::{Failure, Outcome, Paint, Report, Tried};

use crate::stub::check;

fn report() -> Report {
    let tried = |outcome| Tried {
        check: check("GET /a\n> 200"),
        outcome,
        took: Duration::from_millis(1500),
    };
    let failure = Failure {
        expected: "status 200".to_owned(),
        came: "status 404: <a> & \"b\"".to_owned(),
        request: "curl -i 'http://x/a'".to_owned(),
        step: 1,
    };
    let outcomes =
        [Outcome::Passed, Outcome::Failed(failure), Outcome::Skipped("no receiver".to_owned())];
    Report { url: "http://x".to_owned(), tried: outcomes.into_iter().map(tried).collect() }
}

#[test]
fn people_read_by_heading_what_failed_and_how_to_see_it() {
    let report = report();
    let mut text = String::new();
    let mut before = None;
    for tried in &report.tried {
        text += &tried.text(Paint::Plain, before);
        before = Some(&tried.check);
    }
    text += &report.summary(Paint::Plain);
    for part in [
        "\n1 Things\n",
        "  ✓ 1.2:name  Things shall be so.\n",
        "      expected  status 200\n",
        "      came      status 404: <a> & \"b\"\n",
        "      request   curl -i 'http://x/a'\n",
        "  – 1.2:name  no receiver\n",
        "1 passed, 1 failed, 1 skipped\n",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    assert_eq!(text.matches("1 Things").count(), 1);
    assert!(!text.contains('\u{1b}'));
    assert!(report.summary(Paint::Coloured).contains("\u{1b}[31m"));
}

#[test]
fn programs_read_json() {
    let json = report().to_json();
    assert_eq!(
        (&json["passed"], &json["failed"], &json["skipped"]),
        (&1.into(), &1.into(), &1.into())
    );
    let outcomes: Vec<&str> =
        json["checks"].as_array().unwrap().iter().map(|c| c["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["passed", "failed", "skipped"]);
    assert_eq!(json["checks"][1]["request"], "curl -i 'http://x/a'");
    assert_eq!(json["checks"][2]["reason"], "no receiver");
}

#[test]
fn build_servers_read_junit() {
    let xml = report().to_junit();
    assert!(xml.contains("<testsuite name=\"1 Things\" tests=\"3\" failures=\"1\" skipped=\"1\">"));
    assert!(xml.contains("<skipped message=\"no receiver\"/>"));
    assert!(xml.contains("status 404: &lt;a&gt; &amp; &quot;b&quot;"), "{xml}");
    assert_eq!(xml.matches("<testcase").count(), 3);
}

#[test]
fn a_report_is_good_where_something_passed_and_nothing_failed() {
    assert!(!report().is_good() && !Report::default().is_good());
    let mut good = report();
    good.tried.remove(1);
    assert!(good.is_good());
}
