//! The figures of the page of the suite as files of their own, for a paper or a slide.

use super::Figure;
use crate::suite::{Block, Image};

/// The figures of one experiment in the order of the page: `F1-mnist.svg`, the second of this name `F1-mnist-2.svg`; of all sets
/// together `F2.svg`.
pub(super) fn figure_files(blocks: &[Block]) -> Vec<Figure> {
    let (mut set, mut files) = (String::new(), Vec::<Figure>::new());
    for block in blocks {
        match block {
            Block::Heading(text) => set = format!("-{}", in_file_name(text)),
            Block::Figure { id, image, .. } => {
                let (bytes, kind) = match image {
                    Image::Svg(svg) => (svg.clone().into_bytes(), "svg"),
                    Image::Png { bytes, .. } => (bytes.clone(), "png"),
                };
                let name = |number: usize| match number {
                    1 => format!("{id}{set}.{kind}"),
                    _ => format!("{id}{set}-{number}.{kind}"),
                };
                let is_new = |name: &String| files.iter().all(|file| file.name != *name);
                let name = (1..).map(name).find(is_new).expect("there are finitely many figures");
                files.push(Figure { name, bytes });
            }
            Block::Text(_) | Block::Table { .. } => {}
        }
    }
    files
}

/// `SVHN, 1,083 crops` as `svhn-1-083-crops`.
fn in_file_name(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_has_a_name_of_its_own() {
        let figure = |id| Block::Figure { id, caption: String::new(), image: Image::Svg(format!("<svg>{id}</svg>")) };
        let heading = |text: &str| Block::Heading(text.to_string());
        let blocks =
            [figure("F2"), heading("CIFAR-10"), figure("F1"), figure("F1"), heading("MNIST sample"), figure("F1")];
        let files = figure_files(&blocks);
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["F2.svg", "F1-cifar-10.svg", "F1-cifar-10-2.svg", "F1-mnist-sample.svg"]);
        assert_eq!(files[0].bytes, b"<svg>F2</svg>");
    }
}
