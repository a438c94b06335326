//! The report of the demonstration: one page that needs nothing else; the page of a training run (`training`); and that of
//! the experiments, with a verdict for each claim (`claims_page`).
//!
//! Plots and pictures are part of the page, there is no script, and nothing is loaded. What the page says follows from the
//! numbers of the run:
//!
//! | file | what |
//! |---|---|
//! | `findings` | facts computed from the results |
//! | `answer`, `facts` | the findings in words, chosen by rules |
//! | `plots`, `pictures` | the figures |
//! | `tables`, `format` | the tables, cell by cell; numbers as text |
//! | `page` | everything handed to the templates in `templates/`, which only lay it out |

mod answer;
mod claims_page;
mod commands;
#[cfg(test)]
mod examples;
mod facts;
mod figure_files;
mod findings;
pub(crate) mod format;
mod page;
mod pictures;
mod plots;
mod tables;
mod training;
mod verdicts;

pub use claims_page::{ClaimsPage, render_claims};
pub use training::{TrainingRun, render_training};
pub use verdicts::{Untested, verdict_lines};

use crate::demo::{SetResults, record::RunRecord};
use anyhow::{Context, Result};
use minijinja::{Environment, UndefinedBehavior, syntax::SyntaxConfig, value::Serde};
use page::Page;

/// A figure of the report, as it is also kept beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// File name, such as `scatter-mnist.svg`.
    pub name: String,
    /// Content of the file: SVG or PNG, as the name says.
    pub bytes: Vec<u8>,
}

/// The report and its figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The whole page, HTML.
    pub html: String,
    /// Every figure of the page as a file of its own.
    pub figures: Vec<Figure>,
}

/// The page, the parts it includes, and their text.
const TEMPLATES: [(&str, &str); 14] = [
    ("page.html", include_str!("templates/page.html")),
    ("head.html", include_str!("templates/head.html")),
    ("macros.html", include_str!("templates/macros.html")),
    ("answer.html", include_str!("templates/answer.html")),
    ("scatter.html", include_str!("templates/scatter.html")),
    ("correlations.html", include_str!("templates/correlations.html")),
    ("baselines.html", include_str!("templates/baselines.html")),
    ("fine-tuning.html", include_str!("templates/fine-tuning.html")),
    ("decoders.html", include_str!("templates/decoders.html")),
    ("networks.html", include_str!("templates/networks.html")),
    ("run.html", include_str!("templates/run.html")),
    ("limits.html", include_str!("templates/limits.html")),
    ("training.html", include_str!("templates/training.html")),
    ("claims.html", include_str!("templates/claims.html")),
];

/// Renders the report. Nothing is written.
///
/// # Errors
/// When a template does not fit what it is given.
pub fn render(results: &[SetResults], record: &RunRecord) -> Result<Rendered> {
    let environment = environment()?;
    let (page, figures) = Page::new(results, record);
    let html = environment.get_template("page.html").and_then(|template| template.render(Serde(&page)));
    Ok(Rendered { html: html.context("the report does not render")?, figures })
}

/// The templates, strict about what they are not given.
fn environment() -> Result<Environment<'static>> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    for (name, text) in TEMPLATES {
        environment.add_template(name, text).with_context(|| format!("the template {name}"))?;
    }
    Ok(environment)
}

#[cfg(test)]
mod tests {
    use super::examples::{diverged, network, population, record, results, scrambled};
    use super::*;
    use patchgrad_datasets::SetName::{FashionMnist, Mnist};

    /// Elements without a closing tag.
    const VOID: [&str; 5] = ["!doctype", "meta", "link", "img", "br"];

    fn rendered(profile: &str) -> Rendered {
        let mut failing = population(24, scrambled(24));
        failing.extend([diverged(24, 64), network(25, -3.0, 0.1)]);
        let results = [results(FashionMnist, population(24, |i| i)), results(Mnist, failing)];
        render(&results, &record(profile, &results)).unwrap()
    }

    /// Everything between `<` and `>`, without the style sheet.
    fn tags(html: &str) -> Vec<&str> {
        let (head, rest) = html.split_once("<style>").expect("a style sheet");
        let body = rest.split_once("</style>").expect("its end").1;
        let pieces = head.split('<').skip(1).chain(body.split('<').skip(1));
        pieces.map(|piece| piece.split_once('>').expect("every < has its >").0).collect()
    }

    #[test]
    fn every_tag_is_closed_in_order() {
        let html = rendered("demo").html;
        let mut open = Vec::new();
        for tag in tags(&html) {
            let name = tag.split_whitespace().next().expect("a tag has a name");
            match name.strip_prefix('/') {
                Some(name) => assert_eq!(open.pop(), Some(name), "closed in the wrong order"),
                None if VOID.contains(&name) || tag.ends_with('/') => {}
                None => open.push(name),
            }
        }
        assert!(open.is_empty(), "never closed: {open:?}");
    }

    #[test]
    fn every_section_is_there_and_the_contents_lead_to_it() {
        let html = rendered("demo").html;
        for section in
            ["scatter", "correlations", "baselines", "fine-tuning", "decoders", "features", "networks", "run", "limits"]
        {
            assert!(
                html.contains(&format!("<section id=\"{section}\" aria-labelledby=\"{section}-heading\">")),
                "{section}"
            );
            assert!(html.contains(&format!("<a href=\"#{section}\">")), "{section}");
        }
        let targets = tags(&html).into_iter().filter_map(|tag| tag.split_once("href=\"#")?.1.split('"').next());
        for target in targets.map(str::to_string).collect::<Vec<_>>() {
            assert_eq!(html.matches(&format!("id=\"{target}\"")).count(), 1, "#{target}");
        }
    }

    #[test]
    fn headings_descend_one_level_at_a_time() {
        let html = rendered("demo").html;
        let level = |tag: &&str| tag.strip_prefix('h')?.split(' ').next()?.parse::<usize>().ok();
        let levels: Vec<usize> = tags(&html).iter().filter_map(level).collect();
        assert_eq!((levels[0], levels.iter().filter(|&&level| level == 1).count()), (1, 1));
        assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{levels:?}");
    }

    #[test]
    fn the_page_loads_nothing_and_runs_nothing() {
        let html = rendered("demo").html;
        for tag in tags(&html) {
            // Outside quotes: the name of the element and of its attributes.
            let handler = tag.split('"').step_by(2).any(|names| names.trim_start().starts_with("on"));
            assert!(!tag.starts_with("script") && !handler, "{tag}");
            let source = tag.split_once("src=\"").map(|(_, source)| source);
            assert!(source.is_none_or(|source| source.starts_with("data:image/png;base64,")), "{tag:.80}");
            let link = tag.split_once("href=\"").map(|(_, link)| link);
            let link_is_fine =
                |link: &str| link.starts_with('#') || link.starts_with("data:,") || tag.starts_with("a ");
            assert!(link.is_none_or(link_is_fine), "{tag}");
            assert!(!tag.starts_with("img") || tag.contains("alt=\""), "{tag:.80}");
        }
        assert!(!html.contains("@import") && !html.contains("url("));
        assert!(html.contains("default-src 'none'"));
    }

    #[test]
    fn what_was_given_is_text_and_never_markup() {
        let html = rendered("demo").html;
        assert!(html.contains("terms &amp; &lt;owner&gt;") && html.contains("a &lt;b&gt; &amp; c"));
        assert!(!html.contains("<owner>") && !html.contains("<b> & c"));
    }

    #[test]
    fn every_network_has_its_row_and_failed_ones_are_marked() {
        let html = rendered("demo").html;
        for row in [
            "id=\"fashion-mnist-0\" class=\"ok\"",
            "id=\"mnist-24\" class=\"diverged\"",
            "id=\"mnist-25\" class=\"dead\"",
        ] {
            assert_eq!(html.matches(row).count(), 1, "{row}");
        }
        assert_eq!(html.matches("<tr id=").count(), 24 + 26);
        assert!(html.contains("not finite: 1"), "the scatter plot counts the diverged one");
        assert!(html.contains("1 dead network stands at the edge of the plot"));
        assert!(html.contains("all code sizes, without dead"));
    }

    #[test]
    fn only_a_smoke_run_warns_of_its_numbers() {
        let warning = "Its numbers, and the sentences that follow from them, say nothing";
        assert!(rendered("smoke").html.contains(warning) && !rendered("demo").html.contains(warning));
    }

    #[test]
    fn the_record_says_how_to_repeat_the_run() {
        let html = rendered("demo").html;
        for text in [
            "cargo run --release -- --data-dir",
            "1.2.3",
            "portable",
            "2025-01-31 12:30:59 UTC",
            "61&nbsp;s on 2 threads",
            "01234567, 89abcdef",
        ] {
            assert!(html.contains(text), "{text}");
        }
    }

    #[test]
    fn every_figure_is_a_file_of_its_kind_and_stands_in_the_page() {
        let rendered = rendered("demo");
        let names: Vec<&str> = rendered.figures.iter().map(|figure| figure.name.as_str()).collect();
        let per_set = |set: &str| {
            ["scatter-{}.svg", "decoders-{}.svg", "decoded-{}.png", "features-lowest-{}.png", "features-top-{}.png"]
                .map(|name| name.replace("{}", set))
        };
        let expected = per_set("mnist").into_iter().chain(per_set("fashion-mnist"));
        for name in expected.chain(["correlations.svg".to_string(), "before-after.png".to_string()]) {
            assert!(names.contains(&name.as_str()), "{name}");
        }
        assert_eq!(names.len(), 12);
        for figure in &rendered.figures {
            let start: &[u8] = if figure.name.ends_with(".svg") { b"<svg" } else { b"\x89PNG" };
            assert!(figure.bytes.starts_with(start), "{}", figure.name);
        }
        assert_eq!(rendered.html.matches("<svg ").count(), 5);
        assert_eq!(rendered.html.matches("<img ").count(), 7);
    }

    #[test]
    fn a_run_without_a_working_network_still_has_a_report() {
        let dead = || (0..6).map(|i| network(i, -0.1, 0.1)).collect();
        let results = [results(FashionMnist, dead()), results(Mnist, (0..6).map(|i| diverged(i, 64)).collect())];
        let html = render(&results, &record("demo", &results)).unwrap().html;
        assert!(html.contains("This run gives no answer") && html.contains("No correlation can be computed."));
    }
}
