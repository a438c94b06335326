//! The page of the experiments, as a browser shows it.
#![forbid(unsafe_code)]

use assert_cmd::Command;
use pitfall::suite::EXPERIMENTS;
use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    path::{Path, PathBuf},
};

/// Reads the report in a frame and writes down what a visitor would see, or miss.
const VISITOR: &str = r##"<!doctype html><meta charset="utf-8"><title>visitor</title>
<iframe id="page" src="report.html" style="width:WIDTHpx;height:900px;border:0"></iframe>
<pre id="found"></pre>
<script>
document.getElementById("page").addEventListener("load", event => {
  const page = event.target.contentDocument, lines = [];
  for (const figure of page.querySelectorAll("figure")) {
    const image = figure.querySelector("svg, img"), box = image ? image.getBoundingClientRect() : {width: 0, height: 0};
    const drawn = !image ? 0 : image.tagName === "IMG" ? image.naturalWidth
      : image.querySelectorAll("circle, polygon, polyline, rect, path").length;
    if (image?.closest(".drawing") && box.width < 600) lines.push("too small to read: " + figure.textContent.slice(0, 60));
    if (box.width < 100 || box.height < 20 || drawn < 2) lines.push("empty figure: " + figure.textContent.slice(0, 60));
    if (!figure.querySelector("figcaption")?.textContent.trim()) lines.push("no caption");
    if (figure.querySelector("svg a") && figure.querySelector("figcaption a")?.tabIndex !== 0)
      lines.push("the keyboard does not get to the rows: " + figure.textContent.slice(0, 60));
  }
  for (const link of page.querySelectorAll('a[href^="#"]')) {
    const target = link.getAttribute("href").slice(1);
    if (!page.getElementById(target)) lines.push("leads nowhere: " + target);
  }
  for (const region of page.querySelectorAll(".scroll")) if (region.tabIndex !== 0) lines.push("no keyboard: " + region.ariaLabel);
  const root = page.documentElement;
  if (root.scrollWidth > root.clientWidth) lines.push("wider than the screen: " + root.scrollWidth);
  lines.push("figures " + page.querySelectorAll("figure").length + ", tables " + page.querySelectorAll("table").length);
  document.getElementById("found").textContent = "BEGIN\n" + lines.join("\n") + "\nEND";
});
</script>
"##;

/// The first Chromium on the path.
fn chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let mut files = std::env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name)));
    files.find(|file| file.is_file())
}

/// What the visitor writes down on a screen of this width.
fn visit(chromium: &Path, folder: &Path, width: usize) -> String {
    let visitor = folder.join(format!("visitor-{width}.html"));
    fs::write(&visitor, VISITOR.replace("WIDTH", &width.to_string())).unwrap();
    let output = std::process::Command::new(chromium)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--allow-file-access-from-files",
        ])
        .args(["--enable-logging=stderr", "--log-level=0", "--virtual-time-budget=20000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .arg(format!("file://{}", visitor.display()))
        .output()
        .unwrap();
    let messages = String::from_utf8_lossy(&output.stderr).into_owned();
    let console: Vec<&str> = messages.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert!(console.is_empty(), "{console:?}");
    let dom = String::from_utf8_lossy(&output.stdout).into_owned();
    let found = dom.split("BEGIN\n").nth(1).and_then(|rest| rest.split("\nEND").next());
    found.unwrap_or_else(|| panic!("the page was not loaded: {messages}")).to_string()
}

#[test]
fn every_experiment_has_its_place_on_a_page_that_a_browser_shows() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let pitfall = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pitfall"));
        command.current_dir(folder).env_remove("PATCHGRAD_DATA");
        command
    };
    let names = EXPERIMENTS.map(|experiment| experiment.name());
    pitfall().arg("run").args(names).args(["--profile", "smoke", "--quiet", "--out", "runs"]).assert().success();
    let validated = ["run", "validation", "--only", "score/", "--quiet", "--out", "runs/validation"];
    pitfall().args(validated).assert().success();
    let printed = pitfall().args(["report", "runs", "--out", "report.html"]).assert().success().get_output().clone();
    let printed = String::from_utf8(printed.stdout).unwrap();
    assert!(printed.contains("C4 ") && printed.ends_with("report.html\n"), "{printed}");

    let html = fs::read_to_string(folder.join("report.html")).unwrap();
    for experiment in EXPERIMENTS {
        assert!(html.contains(&format!("id=\"{}\"", experiment.name())), "{}", experiment.name());
        assert!(html.contains(&format!("run {} --data mnist --profile smoke --seed 42", experiment.name())));
    }
    assert!(
        html.contains("run dynamics --data mnist --profile smoke --seed 42 --out OUT --resume"),
        "beside those of E1"
    );
    assert!(html.contains("id=\"validation\""), "the checks have their place");
    assert!(html.contains("None of the 15 checks failed."), "and are counted");
    assert!(!html.contains("<script") && !html.contains("src=\"http"), "the page needs nothing else");
    let ids: Vec<&str> = html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let different: BTreeSet<&&str> = ids.iter().collect();
    assert_eq!(different.len(), ids.len(), "an id occurs twice");
    let lead_to: BTreeSet<&str> = html.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let dangling: Vec<&&str> = lead_to.iter().filter(|target| !different.contains(target)).collect();
    assert!(dangling.is_empty(), "links that lead nowhere: {dangling:?}");
    let of_networks = html.matches("href=\"#mnist-P").count();
    assert!(of_networks > html.matches("id=\"mnist-P").count(), "points of several figures lead to networks");

    let again = ["report", "runs", "--out", "again.html", "--numbers", "--figures", "figures"];
    let again = pitfall().args(again).assert().success();
    let figures: Vec<PathBuf> =
        fs::read_dir(folder.join("figures")).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(figures.len(), html.matches("<figure>").count());
    let drawing = fs::read_to_string(folder.join("figures/F1-mnist-sample.svg")).unwrap();
    assert!(html.contains(drawing.trim_end()), "the same as on the page");
    let numbers = String::from_utf8(again.get_output().stdout.clone()).unwrap();
    assert!(numbers.lines().any(|line| line.starts_with("correlation.mnist.pooled.own.rho\t")), "{numbers}");
    assert_eq!(html, fs::read_to_string(folder.join("again.html")).unwrap(), "the same rows give the same page");

    // An older page is replaced, and a name that was mistaken costs no rows.
    fs::write(folder.join("again.html"), "<!DOCTYPE html><p>older</p>").unwrap();
    pitfall().args(["report", "runs", "--out", "again.html"]).assert().success();
    assert_eq!(html, fs::read_to_string(folder.join("again.html")).unwrap());
    let rows = "runs/mnist/correlation/rows.csv";
    let before = fs::read(folder.join(rows)).unwrap();
    fs::write(folder.join("account.md"), "{{ n }}").unwrap();
    for arguments in [&["--out", rows][..], &["--fill", "account.md", "--write", rows]] {
        let refused = pitfall().args(["report", "runs"]).args(arguments).assert().code(2).get_output().stderr.clone();
        assert!(String::from_utf8(refused).unwrap().contains("nothing was written. Give another name"));
    }
    assert_eq!(fs::read(folder.join(rows)).unwrap(), before);

    let Some(chromium) = chromium() else {
        // Past the harness, which keeps to itself what a test prints that passes.
        writeln!(std::io::stderr(), "no Chromium on the path: the page was not looked at").unwrap();
        return;
    };
    for width in [1_200, 360] {
        let found = visit(&chromium, folder, width);
        let lines: Vec<&str> = found.lines().collect();
        assert!(lines.len() == 1 && lines[0].starts_with("figures "), "at {width} pixels: {found}");
    }
}

#[test]
fn what_is_wrong_with_a_report_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pitfall"));
        let output = command.current_dir(folder.path()).args(arguments).assert().failure().get_output().clone();
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(refused(&["report", "nowhere"]).contains("cannot read the folder nowhere"));
    fs::create_dir(folder.path().join("empty")).unwrap();
    assert!(refused(&["report", "empty"]).contains("expected a folder that `pitfall run NAME --out` wrote"));
    assert!(refused(&["report"]).contains("<RUNS>..."));
}
