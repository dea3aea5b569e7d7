use std::sync::Arc;

use cardo_engine::{EntityQuery, Layer, Order, PageRequest, PageStart, View};
use cardo_model::{EntityId, Timestamp};
use cardo_query::{
    Comparison, Datasets, Filter, GeoCondition, GeoTest, Literal, Observed, Operand, Operator,
    TimeCondition,
};
use cardo_spatial::GeoRelation;
use proptest::prelude::*;
use tempfile::tempdir;

use crate::support::{layer, of_folder, write_points};

fn everything(layer: &dyn Layer) -> Filter {
    Filter::Type(layer.description().table.type_name.clone())
}

fn within(layer: &dyn Layer, [west, south, east, north]: [f64; 4]) -> Filter {
    let shape = geo_types::Rect::new((west, south), (east, north)).to_polygon().into();
    let test = Arc::new(GeoTest::new(GeoRelation::Intersects, shape));
    let property = layer.description().info.attributes[0].name.clone();
    let datasets = Datasets::default();
    Filter::Geo(GeoCondition { property, test, missing_matches: true, datasets })
}

fn higher_than(layer: &dyn Layer, height: i64) -> Filter {
    let (path, _) = layer.description().table.path("height").unwrap();
    let operand = Operand::One(Literal::Number(height as f64));
    Filter::Compare(Comparison { path, operator: Operator::Greater, operand })
}

fn ask(layer: &dyn Layer, filter: Filter, limit: usize, start: PageStart) -> cardo_engine::Page {
    let page = PageRequest { limit, start };
    let query = EntityQuery { filter, order: Order::default(), page, count: true };
    layer.query(&View::all(), &query).unwrap()
}

fn ask_uncounted(
    layer: &dyn Layer,
    filter: Filter,
    limit: usize,
    start: PageStart,
) -> cardo_engine::Page {
    let page = PageRequest { limit, start };
    let query = EntityQuery { filter, order: Order::default(), page, count: false };
    layer.query(&View::all(), &query).unwrap()
}

fn ids(page: &cardo_engine::Page) -> Vec<String> {
    page.entities.iter().map(|record| record.view().id().to_owned()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_layer_answers_as_a_plain_look_at_all_its_features_would(
        points in prop::collection::vec((0_u8..40, 0_u8..40, 0_i64..50), 1..300),
        (west, south, width, height) in (0_u8..40, 0_u8..40, 0_u8..20, 0_u8..20),
        least in 0_i64..50,
        limit in 1_usize..20,
    ) {
        let folder = tempdir().unwrap();
        let points: Vec<_> = points.into_iter().map(|(x, y, h)| (f64::from(x), f64::from(y), h)).collect();
        write_points(&folder.path().join("points.fgb"), 4326, &points);
        let layers = of_folder(folder.path());
        let layer = layer(&layers, "points");
        let layer = &*layer;
        let all = ask(layer, everything(layer), 1_000, PageStart::Offset(0));
        prop_assert_eq!((all.entities.len(), all.count), (points.len(), Some(points.len())));
        let table = &layer.description().table;
        let place = |record: &cardo_model::Record| {
            let geometry = cardo_model::read_point(table.geometry_of(&record.view()).unwrap()).unwrap();
            let record = record.view();
            let height = record.attributes().find_map(|a| a.instances().next()?.value().parse::<i64>().ok());
            (geometry, height.unwrap())
        };
        let bbox = [west, south, west + width, south + height].map(f64::from);
        let [w, s, e, n] = bbox;
        let expected: Vec<String> = all
            .entities
            .iter()
            .filter(|record| {
                let ([x, y], height) = place(record);
                (w..=e).contains(&x) && (s..=n).contains(&y) && height > least
            })
            .map(|record| record.view().id().to_owned())
            .collect();
        // A box alone is counted by the index.
        let in_box: Vec<String> = all
            .entities
            .iter()
            .filter(|record| {
                let [x, y] = place(record).0;
                (w..=e).contains(&x) && (s..=n).contains(&y)
            })
            .map(|record| record.view().id().to_owned())
            .collect();
        let (mut found, mut start) = (Vec::new(), PageStart::Offset(0));
        loop {
            let page = ask(layer, everything(layer).and(within(layer, bbox)), limit, start);
            prop_assert_eq!(page.count, Some(in_box.len()));
            prop_assert_eq!(page.has_before, !found.is_empty());
            found.extend(ids(&page));
            let Some(last) = page.entities.last().filter(|_| page.has_more) else { break };
            start = PageStart::After(last.view().seq());
        }
        prop_assert_eq!(&found, &in_box);
        if let Some(last) = all.entities.last() {
            let start = PageStart::Before(last.view().seq());
            let page = ask(layer, everything(layer).and(within(layer, bbox)), limit, start);
            let last = last.view().id();
            let before: Vec<_> = in_box.iter().filter(|id| *id != last).cloned().collect();
            let from = before.len().saturating_sub(limit);
            prop_assert_eq!(ids(&page), &before[from..]);
            prop_assert_eq!((page.has_before, page.count), (from > 0, Some(in_box.len())));
        }
        let filter = everything(layer).and(within(layer, bbox)).and(higher_than(layer, least));
        // Forward by cursors, and by offsets.
        let (mut found, mut start) = (Vec::new(), PageStart::Offset(0));
        loop {
            let page = ask(layer, filter.clone(), limit, start);
            prop_assert_eq!(page.count, Some(expected.len()));
            let skipped = ask(layer, filter.clone(), limit, PageStart::Offset(found.len()));
            prop_assert_eq!((ids(&skipped), skipped.has_more), (ids(&page), page.has_more));
            let uncounted = ask_uncounted(layer, filter.clone(), limit, start);
            prop_assert_eq!((ids(&uncounted), uncounted.count), (ids(&page), None));
            prop_assert_eq!((uncounted.has_more, uncounted.has_before), (page.has_more, page.has_before));
            found.extend(ids(&page));
            if !page.has_more {
                break;
            }
            start = PageStart::After(page.entities.last().unwrap().view().seq());
        }
        prop_assert_eq!(&found, &expected);
        // And back.
        if let Some(last) = all.entities.last() {
            let page = ask(layer, filter, limit, PageStart::Before(last.view().seq()));
            let last = last.view().id();
            let before: Vec<_> = expected.iter().filter(|id| *id != last).cloned().collect();
            let from = before.len().saturating_sub(limit);
            prop_assert_eq!(ids(&page), &before[from..]);
            prop_assert_eq!(page.has_before, from > 0);
        }
    }
}

#[test]
fn a_feature_is_found_by_its_id_and_by_nothing_else() {
    let folder = tempdir().unwrap();
    write_points(&folder.path().join("points.fgb"), 4326, &[(1.0, 2.0, 3), (4.0, 5.0, 6)]);
    let layers = of_folder(folder.path());
    let points = layer(&layers, "points");
    let found = points.retrieve(&View::all(), "points.1").unwrap().unwrap();
    assert_eq!(found.view().id(), "points.1");
    for id in [
        "points.2",
        "points.01",
        "points.+1",
        "points.-1",
        "points.",
        "points",
        "other.1",
        "points.99999999999999999999",
    ] {
        assert!(points.retrieve(&View::all(), id).unwrap().is_none(), "{id}");
    }
}

#[test]
fn what_would_have_too_much_read_is_refused_and_a_small_box_is_not() {
    let folder = tempdir().unwrap();
    let points: Vec<_> = (0..60_000_i32)
        .map(|n| (f64::from(n % 300) / 10.0, f64::from(n / 300) / 10.0, i64::from(n)))
        .collect();
    write_points(&folder.path().join("points.fgb"), 4326, &points);
    let layers = of_folder(folder.path());
    let points = layer(&layers, "points");
    let points = &*points;
    let page = PageRequest { limit: 10, start: PageStart::Offset(0) };
    let filter = everything(points).and(higher_than(points, 10));
    let query = EntityQuery { filter: filter.clone(), order: Order::default(), page, count: true };
    let refused = points.query(&View::all(), &query).unwrap_err().to_string();
    assert!(refused.contains("60000") && refused.contains("bbox"), "{refused}");
    // Without a count a page has what is found first.
    let page = ask_uncounted(points, filter.clone(), 10, PageStart::Offset(0));
    assert_eq!((page.entities.len(), page.count, page.has_more), (10, None, true));
    let none = everything(points).and(higher_than(points, 100_000));
    let page = ask_uncounted(points, none, 10, PageStart::Offset(0));
    assert_eq!((page.entities.len(), page.has_more), (0, false));
    let everywhere = everything(points).and(within(points, [-1.0, -1.0, 50.0, 50.0]));
    let page = ask(points, everywhere, 10, PageStart::Offset(59_995));
    assert_eq!((page.entities.len(), page.count, page.has_more), (5, Some(60_000), false));
    let near = filter.and(within(points, [1.0, 1.0, 1.95, 1.95]));
    assert_eq!(ask(points, near, 10, PageStart::Offset(0)).count, Some(100));
    // So does a place that is said in another way, and so do ids.
    let one_of = Filter::Or(vec![
        within(points, [1.0, 1.0, 1.95, 1.95]),
        within(points, [5.0, 5.0, 5.95, 5.95]),
    ]);
    let found = ask(points, everything(points).and(one_of), 10, PageStart::Offset(0));
    assert_eq!(found.count, Some(200));
    let both = everything(points)
        .and(within(points, [0.0, 0.0, 40.0, 40.0]))
        .and(within(points, [1.0, 1.0, 1.95, 1.95]));
    assert_eq!(ask(points, both, 10, PageStart::Offset(0)).count, Some(100));
    let id = |id: &str| EntityId::parse_feature(id);
    let named = ["points.59999", "points.7", "points.60000", "other.3"].map(|one| id(one).unwrap());
    assert_eq!(
        ["points.07", "points.", ".7", "points", "a.b.7", "points.-1"].map(id),
        [const { None }; 6]
    );
    let named = everything(points).and(Filter::Ids(named.to_vec()));
    let found = ask(points, named.clone(), 10, PageStart::Offset(0));
    assert_eq!(
        (ids(&found), found.count),
        (vec!["points.7".into(), "points.59999".into()], Some(2))
    );
    let table = &points.description().table;
    let first = table.geometry_of(&found.entities[0].view()).and_then(cardo_model::read_point);
    let [x, y] = first.unwrap();
    let named = named.and(within(points, [x, y, x, y]));
    assert_eq!(ids(&ask(points, named, 10, PageStart::Offset(0))), ["points.7"]);
    // Features of a file were never observed, so a condition on that leaves all or none.
    let time = TimeCondition {
        from: Some(Timestamp::from_seconds(0)),
        until: None,
        missing_matches: true,
        observed: Observed::All,
    };
    let observed = everything(points).and(Filter::Time(time.clone()));
    let page = ask(points, observed, 10, PageStart::Offset(59_995));
    assert_eq!((page.entities.len(), page.count), (5, Some(60_000)));
    let never = Filter::Time(TimeCondition { missing_matches: false, ..time });
    let never = everything(points).and(never).and(within(points, [1.0, 1.0, 1.95, 1.95]));
    assert_eq!(ask(points, never, 10, PageStart::Offset(0)).count, Some(0));
    // Without a condition pages are read where they are.
    let page = ask(points, everything(points), 10, PageStart::Offset(59_995));
    assert_eq!((page.entities.len(), page.count, page.has_more), (5, Some(60_000), false));
}
