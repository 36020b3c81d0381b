//! The same for a site and its settings.

use domain::moderation::ModeChange;
use domain::settings::SettingsPatch;

use super::Note;

#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) opened: bool,
    pub(crate) frozen: bool,
    pub(crate) mode: ModeChange,
    /// Every one is set.
    pub(crate) settings: SettingsPatch,
}

impl Default for Site {
    fn default() -> Self {
        let settings = SettingsPatch {
            name: Some("".into()),
            zone: Some("".into()),
            locale: Some("".into()),
            edit_window_secs: Some(300),
            text_chars_max: Some(10_000),
            report_threshold: Some(5),
            premoderate_first: Some(0),
            premoderate_links: Some(false),
            premoderate_words: Some(Vec::new()),
            reserved_names: Some(Vec::new()),
            comments_per_minute: Some(0),
            votes_per_minute: Some(0),
        };
        Self { opened: false, frozen: false, mode: ModeChange::default(), settings }
    }
}

impl Site {
    /// Each setting of a patch by its name, in the order in which the audit tells them.
    fn lines(patch: &SettingsPatch) -> [(&'static str, Option<String>); 12] {
        let number = |number: Option<u32>| number.map(|number| number.to_string());
        let text = |text: &Option<Box<str>>| text.as_ref().map(ToString::to_string);
        let words = |words: &Option<Vec<Box<str>>>| words.as_ref().map(|words| format!("{} words", words.len()));
        [
            ("name", text(&patch.name)),
            ("zone", text(&patch.zone)),
            ("edit_window_secs", number(patch.edit_window_secs)),
            ("text_chars_max", number(patch.text_chars_max)),
            ("report_threshold", number(patch.report_threshold)),
            ("locale", text(&patch.locale)),
            ("premoderate_first", number(patch.premoderate_first)),
            ("premoderate_links", patch.premoderate_links.map(|links| links.to_string())),
            ("comments_per_minute", number(patch.comments_per_minute)),
            ("votes_per_minute", number(patch.votes_per_minute)),
            ("premoderate_words", words(&patch.premoderate_words)),
            ("reserved_names", words(&patch.reserved_names)),
        ]
    }

    /// Sets what a patch names.
    pub(super) fn set(&mut self, patch: &SettingsPatch) -> Note {
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for ((name, was), (_, is)) in Self::lines(&self.settings).into_iter().zip(Self::lines(patch)) {
            if let (Some(was), Some(is)) = (was, is) {
                before.push(format!("{name}: {was}"));
                after.push(format!("{name}: {is}"));
            }
        }
        let settings = self.settings.clone();
        let patch = patch.clone();
        self.settings = SettingsPatch {
            name: patch.name.or(settings.name),
            zone: patch.zone.or(settings.zone),
            locale: patch.locale.or(settings.locale),
            edit_window_secs: patch.edit_window_secs.or(settings.edit_window_secs),
            text_chars_max: patch.text_chars_max.or(settings.text_chars_max),
            report_threshold: patch.report_threshold.or(settings.report_threshold),
            premoderate_first: patch.premoderate_first.or(settings.premoderate_first),
            premoderate_links: patch.premoderate_links.or(settings.premoderate_links),
            premoderate_words: patch.premoderate_words.or(settings.premoderate_words),
            reserved_names: patch.reserved_names.or(settings.reserved_names),
            comments_per_minute: patch.comments_per_minute.or(settings.comments_per_minute),
            votes_per_minute: patch.votes_per_minute.or(settings.votes_per_minute),
        };
        Note { before: before.join("\n"), after: after.join("\n"), ..Note::default() }
    }
}
