//! What a search finds, in which order and on which page.

use super::*;

fn query(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn rows() -> Vec<Value> {
    vec![
        json!({"entity_id": 1, "grand_total": 9.5, "state": "new", "updated_at": "2026-11-23 04:00:00"}),
        json!({"entity_id": 2, "grand_total": 10, "state": "holded", "updated_at": "2026-11-23 05:00:00", "ext_order_id": "S-1"}),
        json!({"entity_id": 3, "grand_total": 100, "state": "new", "updated_at": "2026-11-23 06:00:00"}),
    ]
}

fn found(pairs: &[(&str, &str)], repeat_last_page: bool) -> Result<(Vec<u64>, usize), Refusal> {
    let criteria = Criteria::parse(&query(pairs))?;
    let table = Table {
        rows: rows(),
        columns: super::super::columns::ORDER,
        read: &|row: &Value, column: &str| row.get(column).map(Cow::Borrowed),
        repeat_last_page,
    };
    let found = criteria.select(table)?;
    Ok((found.page.iter().filter_map(|row| row["entity_id"].as_u64()).collect(), found.total))
}

fn filtered(field: &str, condition: &str, value: &str) -> Vec<u64> {
    let pairs = [
        ("searchCriteria[filterGroups][0][filters][0][field]", field),
        ("searchCriteria[filterGroups][0][filters][0][value]", value),
        ("searchCriteria[filter_groups][0][filters][0][condition_type]", condition),
    ];
    found(&pairs, false).expect("rows").0
}

#[test]
fn conditions_compare_by_the_type_of_the_column() {
    assert_eq!(filtered("grand_total", "gt", "9.50"), [2, 3]);
    assert_eq!(filtered("grand_total", "lteq", "10.0"), [1, 2]);
    assert_eq!(filtered("updated_at", "gt", "2026-11-23T06:00:00+01:00"), [3]);
    assert_eq!(filtered("updated_at", "from", "2026-11-23 05:00:00"), [2, 3]);
    assert_eq!(filtered("state", "eq", "NEW"), [1, 3]);
    assert_eq!(filtered("state", "in", "holded, closed"), [2]);
    assert_eq!(filtered("state", "nin", "holded"), [1, 3]);
    assert_eq!(filtered("state", "like", "%ol_e%"), [2]);
    assert_eq!(filtered("ext_order_id", "null", ""), [1, 3]);
    assert_eq!(filtered("ext_order_id", "notnull", ""), [2]);
    assert_eq!(filtered("ext_order_id", "neq", "X"), [2], "nothing is unequal to what is not there");
}

#[test]
fn a_sort_order_without_direction_is_descending() {
    assert_eq!(found(&[("searchCriteria[sortOrders][0][field]", "entity_id")], false), Ok((vec![3, 2, 1], 3)));
    let ascending =
        [("searchCriteria[sortOrders][0][field]", "grand_total"), ("searchCriteria[sortOrders][0][direction]", "asc")];
    assert_eq!(found(&ascending, false), Ok((vec![1, 2, 3], 3)));
    assert_eq!(found(&[("searchCriteria", "")], false), Ok((vec![1, 2, 3], 3)));
}

#[test]
fn groups_are_and_and_filters_are_or() {
    let pairs = [
        ("searchCriteria[filter_groups][0][filters][0][field]", "state"),
        ("searchCriteria[filter_groups][0][filters][0][value]", "holded"),
        ("searchCriteria[filter_groups][0][filters][1][field]", "grand_total"),
        ("searchCriteria[filter_groups][0][filters][1][value]", "100"),
        ("searchCriteria[filter_groups][1][filters][0][field]", "ext_order_id"),
        ("searchCriteria[filter_groups][1][filters][0][condition_type]", "null"),
    ];
    assert_eq!(found(&pairs, false), Ok((vec![3], 1)));
}

#[test]
fn pages_end_empty_or_repeat_the_last() {
    let page = |number: &'static str| [("searchCriteria[pageSize]", "2"), ("searchCriteria[currentPage]", number)];
    assert_eq!(found(&page("2"), false), Ok((vec![3], 3)));
    assert_eq!(found(&page("99"), false), Ok((vec![], 3)));
    assert_eq!(found(&page("18446744073709551615"), false), Ok((vec![], 3)));
    assert_eq!(found(&page("99"), true), Ok((vec![3], 3)));
}

#[test]
fn what_no_search_knows_is_refused() {
    assert_eq!(Criteria::parse(&[]), Err(Refusal::required("searchCriteria")));
    let status = |pairs: &[(&str, &str)]| found(pairs, false).map_err(|refusal| refusal.status).map(|_| ());
    assert_eq!(status(&[("searchCriteria[pagesize]", "1")]), Err(400));
    assert_eq!(status(&[("searchCriteria[pageSize]", "ten")]), Err(400));
    assert_eq!(status(&[("searchCriteria[sortOrders][0][field]", "updatedat")]), Err(500));
    assert_eq!(status(&[("searchCriteria[filterGroups][0][filters][0][value]", "1")]), Err(400));
}

#[test]
fn the_echo_repeats_what_was_sent() {
    let criteria = Criteria::parse(&query(&[("searchCriteria[pageSize]", "50")])).expect("criteria");
    assert_eq!(criteria.echo(), json!({"filter_groups": [], "page_size": 50}));
}
