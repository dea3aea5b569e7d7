use std::net::IpAddr;

use axum::http::Request;
use proptest::prelude::*;

use super::*;
use crate::strip_tenant;

const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 9));

fn base(reach: &Reach, uri: &str, headers: &[(&str, &str)]) -> BaseUrl {
    let mut request = Request::builder().uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = strip_tenant(request.body(()).unwrap());
    if let Some(via) = reach.via(PEER) {
        request.extensions_mut().insert(via);
    }
    BaseUrl::of(&request.into_parts().0)
}

fn direct(host: &str) -> String {
    base(&Reach::default(), "/x", &[("host", host)]).as_str().to_owned()
}

fn proxied(headers: &[(&str, &str)]) -> String {
    let reach = Reach::new(None, &["10.0.0.0/8".to_owned()]).unwrap();
    base(&reach, "/x", &[&[("host", "inner:8787")], headers].concat()).as_str().to_owned()
}

#[test]
fn the_host_that_a_request_names_is_the_base_of_its_links() {
    for host in ["localhost:8787", "127.0.0.1", "[::1]:8787", "a_b.example", "CITY.example:80"] {
        assert_eq!(direct(host), format!("http://{host}"));
    }
    let absolute = base(&Reach::default(), "http://one.example:1/x", &[("host", "two.example")]);
    assert_eq!(absolute.as_str(), "http://one.example:1");
}

#[test]
fn a_host_that_cannot_be_is_not_reflected_and_links_are_paths() {
    let long = "a".repeat(300);
    let wrong =
        ["", "a b", "a/b", "a@b", "a:b", "a:99999", "a:-1", "[::1", "[x]", "<x>", "\"", &long];
    for host in wrong {
        assert_eq!(direct(host), "", "{host}");
    }
    let two = base(&Reach::default(), "/x", &[("host", "a"), ("host", "b")]);
    assert_eq!(two, BaseUrl::default());
    assert_eq!(two.to("/ogc"), "/ogc");
}

#[test]
fn a_tenant_of_the_path_is_part_of_the_base() {
    let plain = base(&Reach::default(), "/tenants/north/ogc", &[("host", "a.example")]);
    assert_eq!(plain.to("/ogc"), "http://a.example/tenants/north/ogc");
    assert_eq!((plain.origin(), plain.path()), ("http://a.example", "/tenants/north"));
    let reach = Reach::new(Some("https://city.example/twin/"), &[]).unwrap();
    let public = base(&reach, "/tenants/north/ogc", &[]);
    assert_eq!(public.as_str(), "https://city.example/twin/tenants/north");
    assert_eq!((public.origin(), public.path()), ("https://city.example", "/twin/tenants/north"));
}

#[test]
fn a_public_url_counts_whatever_a_request_says() {
    let reach = Reach::new(Some("https://city.example"), &["10.0.0.9".to_owned()]).unwrap();
    let headers = [("host", "evil.example"), ("forwarded", "proto=http;host=evil.example")];
    assert_eq!(base(&reach, "/x", &headers).as_str(), "https://city.example");
}

#[test]
fn a_trusted_proxy_says_how_it_was_asked() {
    assert_eq!(proxied(&[]), "http://inner:8787");
    assert_eq!(
        proxied(&[("forwarded", "for=1.2.3.4;proto=https;host=a.example")]),
        "https://a.example"
    );
    assert_eq!(
        proxied(&[(
            "forwarded",
            r#"For="[2001:db8::1]:4711" ; HOST="a.example:8443";Proto=HTTPS"#
        )]),
        "https://a.example:8443"
    );
    assert_eq!(
        proxied(&[("x-forwarded-proto", "https"), ("x-forwarded-host", "a.example")]),
        "https://a.example"
    );
    let with_prefix = [("x-forwarded-proto", "https"), ("x-forwarded-prefix", "/twin/")];
    assert_eq!(proxied(&with_prefix), "https://inner:8787/twin");
}

#[test]
fn nobody_else_does() {
    let reach = Reach::new(None, &["192.168.0.1".to_owned()]).unwrap();
    let headers = [
        ("host", "a.example"),
        ("forwarded", "proto=https;host=evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-prefix", "/evil"),
    ];
    assert_eq!(base(&reach, "/x", &headers).as_str(), "http://a.example");
    assert_eq!(base(&Reach::default(), "/x", &headers).as_str(), "http://a.example");
}

#[test]
fn what_a_client_wrote_before_the_proxies_is_not_believed() {
    let spoofed = "host=evil.example;proto=http, for=8.8.8.8;host=a.example;proto=https";
    assert_eq!(proxied(&[("forwarded", spoofed)]), "https://a.example");
    // Two proxies of ours: the outer one was asked by the client.
    let chain =
        "host=evil.example, for=8.8.8.8;host=a.example;proto=https, for=10.1.1.1;proto=http";
    assert_eq!(proxied(&[("forwarded", chain)]), "https://a.example");
    assert_eq!(proxied(&[("x-forwarded-host", "evil.example, a.example")]), "http://a.example");
}

#[test]
fn two_families_of_headers_have_to_agree() {
    let spoofed = [("forwarded", "host=evil.example;proto=https"), ("x-forwarded-proto", "https")];
    assert_eq!(proxied(&spoofed), "https://inner:8787");
    let agreed = [
        ("forwarded", "for=8.8.8.8;host=a.example;proto=https"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "a.example"),
    ];
    assert_eq!(proxied(&agreed), "https://a.example");
}

#[test]
fn words_of_a_proxy_that_cannot_be_are_not_reflected() {
    for header in ["host=a b", "host=\"<x>\"", "host", "host=\"a", "proto=gopher", "=;=,"] {
        assert_eq!(proxied(&[("forwarded", header)]), "http://inner:8787", "{header}");
    }
    let wrong = ["evil", "//evil.example", "/a/../b", "/a b", "/a?b", "/<x>"];
    for prefix in wrong {
        assert_eq!(proxied(&[("x-forwarded-prefix", prefix)]), "http://inner:8787", "{prefix}");
    }
}

#[test]
fn a_reach_that_cannot_be_is_refused_in_words() {
    for url in [
        "city.example",
        "ftp://a",
        "https://",
        "https://a?b",
        "https://a#b",
        "https://u@a",
        "https://a//b",
        "/x",
    ] {
        let error = Reach::new(Some(url), &[]).unwrap_err();
        assert!(error.to_string().contains(url), "{error}");
    }
    let error = Reach::new(None, &["proxy.example".to_owned()]).unwrap_err();
    assert_eq!(error, InvalidReach::Proxy("proxy.example".to_owned()));
}

proptest! {
    #[test]
    fn any_headers_make_a_base_without_surprises(
        host in "[ -~]{0,24}",
        forwarded in "[ -~]{0,40}",
        prefix in "[ -~]{0,24}",
    ) {
        let headers = [("forwarded", forwarded.as_str()), ("x-forwarded-prefix", prefix.as_str())];
        for base in [direct(&host), proxied(&headers)] {
            prop_assert!(!base.contains(['<', '>', '"', ' ', '?', '#', '\\']), "{base}");
            prop_assert!(base.is_empty() || base.starts_with("http"));
        }
    }
}
