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

#[test]
fn every_alert_rests_on_metrics_that_are_documented_and_has_a_runbook() {
    let rules: serde_json::Value = serde_saphyr::from_str(&read("deploy/prometheus/alerts.yml")).unwrap();
    let (documented, operations) = (read("docs/metrics.md"), read("docs/operations.md"));
    let tests = read("deploy/prometheus/alerts_test.yml");
    let rules = rules["groups"][0]["rules"].as_array().unwrap();
    assert!(rules.len() >= 16);
    for rule in rules {
        let name = rule["alert"].as_str().unwrap();
        for metric in metrics_in(rule["expr"].as_str().unwrap()) {
            let role = metric.split('_').nth(1).unwrap();
            let written = [metric.to_owned(), metric.replacen(role, "<role>", 1)];
            // A pattern over roles names what follows them.
            let known = written.iter().any(|name| documented.contains(&format!("`{name}`")));
            assert!(known, "{name}: {metric} is not in docs/metrics.md");
        }
        assert!(operations.contains(&format!("\n### {name}\n")), "docs/operations.md says nothing of {name}");
        let runbook = format!("docs/operations.md#{}", name.to_lowercase());
        assert_eq!(rule["annotations"]["runbook"], runbook);
        assert!(["page", "ticket"].contains(&rule["labels"]["severity"].as_str().unwrap()), "{name}");
        assert!(tests.contains(&format!("alertname: {name}\n")), "nothing makes {name} fire in alerts_test.yml");
    }
}
