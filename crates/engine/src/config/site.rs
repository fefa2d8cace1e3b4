//! Where the systems of the file answer, held against where the store knows them: a uid that was changed is told.

use super::{Config, SystemConfig, place};
use syncline_store::Site;

impl SystemConfig {
    /// Where it answers, and which part of what is there it is.
    #[must_use]
    pub fn site(&self) -> Site {
        Site {
            uid: self.uid.clone(),
            name: self.name.clone(),
            url: Some(format!("{} {}", self.kind.word(), place(&self.url))),
            scope: self.website.clone().or_else(|| self.company.clone()).unwrap_or_default(),
        }
    }

    /// Whether it stands where `known` did. A store that kept no addresses yet has the name alone to tell by.
    fn is_at(&self, known: &Site) -> bool {
        let own = self.site();
        match &known.url {
            None => known.name == own.name,
            Some(_) if own.url != known.url => false,
            Some(_) => own.scope == known.scope || own.scope.is_empty() || known.scope.is_empty(),
        }
    }
}

impl Config {
    /// Where each system of the file answers.
    #[must_use]
    pub fn sites(&self) -> Vec<Site> {
        self.systems.values().map(SystemConfig::site).collect()
    }

    /// The systems of the file that are among `known` under another uid, each with what is known.
    #[must_use]
    pub fn renumbered<'a>(&'a self, known: &'a [Site]) -> Vec<(&'a SystemConfig, &'a Site)> {
        let mut found = Vec::new();
        for system in self.systems.values() {
            let own = known.iter().find(|site| site.uid == system.uid);
            if own.is_some_and(|own| own.url.is_some() && system.is_at(own)) {
                continue;
            }
            let moved_here = own.is_some_and(|own| own.url.is_some());
            let another = known.iter().find(|site| {
                site.uid != system.uid && system.is_at(site) && {
                    // One that is still in the file may have moved and left its address to a new system, or stay beside it.
                    let theirs = self.systems.values().find(|other| other.uid == site.uid);
                    theirs.is_none_or(|theirs| moved_here && !theirs.is_at(site))
                }
            });
            found.extend(another.map(|site| (system, site)));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use syncline_core::id::{SystemName, SystemUid};

    const TOKEN: &str = "token = \"env:T\"";

    /// A file with these shops: name, uid, url and what else.
    fn file(shops: &[(&str, &str, &str, &str)]) -> Config {
        let mut text = String::new();
        for (name, uid, url, more) in shops {
            text.push_str(&format!(
                "[systems.{name}]\nkind = \"magento\"\nuid = \"{uid}\"\nurl = \"{url}\"\n{TOKEN}\n{more}\n"
            ));
        }
        Config::parse(std::path::Path::new("syncline.toml"), &text).expect("a file")
    }

    fn clashes(config: &Config, known: &[Site]) -> Vec<(String, String)> {
        config.renumbered(known).iter().map(|(own, site)| (own.uid.to_string(), site.uid.to_string())).collect()
    }

    fn pair(new: &str, old: &str) -> Vec<(String, String)> {
        vec![(new.to_string(), old.to_string())]
    }

    const A: &str = "https://a.example";
    const B: &str = "https://b.example";

    #[test]
    fn a_system_under_another_uid_is_told() {
        let known = file(&[("shop", "aa", A, "")]).sites();
        assert_eq!(clashes(&file(&[("shop", "aa", A, "")]), &known), []);
        assert_eq!(clashes(&file(&[("shop", "zz", A, "")]), &known), pair("zz", "aa"));
        assert_eq!(clashes(&file(&[("web", "zz", "http://A.example/", "")]), &known), pair("zz", "aa"));
        assert_eq!(clashes(&file(&[("shop", "zz", A, "website = \"base\"")]), &known), pair("zz", "aa"));
        assert_eq!(clashes(&file(&[("shop", "zz", B, "")]), &known), [], "another shop");
        let unkept =
            [Site { url: None, uid: SystemUid::new("aa"), name: SystemName::new("shop"), scope: String::new() }];
        assert_eq!(
            clashes(&file(&[("shop", "zz", B, "")]), &unkept),
            pair("zz", "aa"),
            "nothing but the name is known"
        );
        let left = [Site { url: Some(String::new()), ..unkept[0].clone() }];
        assert_eq!(clashes(&file(&[("shop", "zz", A, "")]), &left), [], "another installation took its place");
    }

    #[test]
    fn systems_may_move_and_stand_side_by_side() {
        let known = file(&[("shop", "aa", A, "")]).sites();
        assert_eq!(clashes(&file(&[("shop", "aa", B, ""), ("old", "bb", A, "")]), &known), [], "it moved");
        let base = ("shop", "aa", A, "website = \"base\"");
        let outlet = ("outlet", "bb", A, "website = \"outlet\"");
        assert_eq!(clashes(&file(&[base, outlet]), &known), [], "one more website of it");
        let both = file(&[base, outlet]).sites();
        assert_eq!(clashes(&file(&[("shop", "aa", A, "")]), &both), [], "all of it, with what one website was");
        assert_eq!(clashes(&file(&[base, ("outlet", "zz", A, "website = \"outlet\"")]), &both), pair("zz", "bb"));
        let two = file(&[("shop", "aa", A, ""), ("outlet", "bb", B, "")]).sites();
        let swapped = file(&[("shop", "bb", A, ""), ("outlet", "aa", B, "")]);
        assert_eq!(clashes(&swapped, &two).len(), 2, "both have the other one's");
    }
}
