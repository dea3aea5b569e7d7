use crate::ScopeTest;

/// Whether one scope, with `/` at its start, meets the test (clause 4.19).
pub fn matches(test: &ScopeTest, scope: &str) -> bool {
    match test {
        ScopeTest::Any => true,
        ScopeTest::Exactly(wanted) => wanted.as_str() == scope,
        ScopeTest::Levels(levels) => begins_with(scope, levels) == Some(Rest::Nothing),
        ScopeTest::Below(levels) => begins_with(scope, levels).is_some(),
    }
}

#[derive(PartialEq)]
enum Rest {
    Nothing,
    Levels,
}

/// What of the scope is left behind the wanted levels; `None` where it does not begin with them.
fn begins_with(scope: &str, levels: &[Option<Box<str>>]) -> Option<Rest> {
    let mut found = scope.trim_start_matches('/').split('/');
    for level in levels {
        let name = found.next()?;
        if level.as_deref().is_some_and(|wanted| wanted != name) {
            return None;
        }
    }
    Some(if found.next().is_none() { Rest::Nothing } else { Rest::Levels })
}
