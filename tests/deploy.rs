//! What deploy/ gives to operators: alerts that rest on metrics that are there, and say what to do.

use crate::sandbox::root;

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// Names of metrics in a query.
fn metrics_in(query: &str) -> Vec<&str> {
    let words = query.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
    words.filter(|word| word.starts_with("koe_") && word.len() > "koe_".len()).collect()
}

fn need_documented(query: &str, documented: &str) {
    let metrics = metrics_in(query);
    assert!(
        !metrics.is_empty() || query.contains("koe_(comments|votes)_") || query.contains("koe_[a-z]+_"),
        "{query}"
    );
    for metric in metrics {
        let role = metric.split('_').nth(1).unwrap();
        let name = ["_bucket", "_count"].iter().find_map(|part| metric.strip_suffix(part)).unwrap_or(metric);
        let written = [name.to_owned(), name.replacen(role, "<role>", 1)];
        let known = written.iter().any(|name| documented.contains(&format!("`{name}`")));
        assert!(known, "{query}: {metric} is not in docs/metrics.md");
    }
}

#[test]
fn every_alert_rests_on_metrics_that_are_documented_and_has_a_runbook() {
    let rules: serde_json::Value = serde_saphyr::from_str(&read("deploy/prometheus/alerts.yml")).unwrap();
    let (documented, operations) = (read("docs/metrics.md"), read("docs/operations.md"));
    let tests = read("deploy/prometheus/alerts_test.yml");
    let rules = rules["groups"][0]["rules"].as_array().unwrap();
    assert!(rules.len() >= 17);
    for rule in rules {
        let name = rule["alert"].as_str().unwrap();
        need_documented(rule["expr"].as_str().unwrap(), &documented);
        assert!(operations.contains(&format!("\n### {name}\n")), "docs/operations.md says nothing of {name}");
        let runbook = format!("docs/operations.md#{}", name.to_lowercase());
        assert_eq!(rule["annotations"]["runbook"], runbook);
        assert!(["page", "ticket"].contains(&rule["labels"]["severity"].as_str().unwrap()), "{name}");
        assert!(tests.contains(&format!("alertname: {name}\n")), "nothing makes {name} fire in alerts_test.yml");
    }
}

#[test]
fn every_panel_of_the_dashboard_rests_on_documented_metrics_and_says_what_it_shows() {
    let dashboard: serde_json::Value = serde_json::from_str(&read("deploy/grafana/dashboards/koe.json")).unwrap();
    let documented = read("docs/metrics.md");
    let panels = dashboard["panels"].as_array().unwrap();
    let rows = panels.iter().filter(|panel| panel["type"] == "row").map(|row| row["title"].as_str().unwrap());
    let expected = ["Is it up", "How much goes through", "How late is it", "What is wrong", "Room"];
    assert_eq!(rows.collect::<Vec<_>>(), expected);
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        assert!(panel["description"].as_str().is_some_and(|text| text.ends_with('.')), "{}", panel["title"]);
        assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{}", panel["title"]);
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{}", panel["title"]);
        for target in targets {
            let query = target["expr"].as_str().unwrap();
            if !query.starts_with("count(ALERTS") && !query.contains("process_") {
                need_documented(query, &documented);
            }
        }
    }
}
