//! The known defects of N-light-N and the tests that would catch each here.
//!
//! A row names tests, which `cargo test` runs; a test of this module makes sure that every one of them exists. Where a check
//! of this table sees the defect too, the row says which.

use super::{Bar, Check};

/// A defect that must not be copied.
#[derive(Clone, Copy, Debug)]
pub struct Defect {
    /// Its name, D1 to D10.
    pub name: &'static str,
    /// What is wrong in N-light-N.
    pub what: &'static str,
    /// The tests that fail when it is put in here: file below `experiments/src` and function.
    pub tests: &'static [(&'static str, &'static str)],
    /// Checks of this table that see it, too.
    pub checks: &'static [&'static str],
}

/// All ten.
pub const DEFECTS: [Defect; 10] = [
    Defect {
        name: "D1",
        what: "back-propagation through shared convolutions uses the last position's sums for all",
        tests: &[(
            "finetune/network.rs",
            "d1_gradients_through_three_layers_with_large_weights_are_right_at_all_positions",
        )],
        checks: &["gradient/classifier-shared", "gradient/classifier-unshared"],
    },
    Defect {
        name: "D2",
        what: "sigmoid and soft-plus layers become soft-sign when a classifier is made",
        tests: &[("finetune/network.rs", "d2_a_classifier_keeps_the_activations_of_its_stack")],
        checks: &[],
    },
    Defect {
        name: "D3",
        what: "the top left patch of the original is compared with the bottom right one of the reconstruction",
        tests: &[
            ("scores/evaluate.rs", "d3_patches_are_compared_with_those_at_the_same_place"),
            ("scae/recode.rs", "every_placement_is_decoded_where_it_was_encoded_and_overlaps_are_means"),
        ],
        checks: &[],
    },
    Defect {
        name: "D4",
        what: "colour differences are fed [-1, 1] in the place of 0 to 255, and summed",
        tests: &[("scores/pixel_distances.rs", "d4_colour_differences_are_those_of_colours_and_means")],
        checks: &["score/delta-e94"],
    },
    Defect {
        name: "D5",
        what: "the perceptron on central features never sees a new picture and only the top layer's size",
        tests: &[("finetune/central.rs", "d5_the_perceptron_reads_all_layers_and_sees_every_new_picture")],
        checks: &[],
    },
    Defect {
        name: "D6",
        what: "training the decoder trains the encoder too",
        tests: &[
            ("units/tests.rs", "d6_training_the_decoder_leaves_the_encoder_of_every_kind_as_it_is"),
            ("scae/train.rs", "training_decoders_leaves_every_encoder_as_it_is"),
        ],
        checks: &[],
    },
    Defect {
        name: "D7",
        what: "a network cannot be initialised layer by layer from LDA or PCA",
        tests: &[("units/lda.rs", "d7_a_stack_is_initialised_layer_by_layer_by_lda_and_pca")],
        checks: &[],
    },
    Defect {
        name: "D8",
        what: "loops stop one short, the first class cannot win, a pooling's gradient goes to all, limits overrun",
        tests: &[
            ("scae/patches.rs", "d8_every_position_of_the_picture_is_drawn_the_last_one_included"),
            ("finetune/pages.rs", "d8_every_position_is_visited_the_last_one_included"),
            ("scae/recode.rs", "d8_a_picture_as_large_as_the_receptive_field_is_recoded"),
            ("finetune/network.rs", "d8_the_first_class_can_win"),
            ("scae/delete.rs", "d8_the_layer_above_loses_the_deleted_inputs_and_nothing_else"),
            ("units/max_pooling.rs", "d8_the_gradient_of_a_maximum_goes_to_where_it_stood"),
            ("units/tests.rs", "d8_a_unit_sees_as_many_patches_as_it_is_given"),
        ],
        checks: &["gradient/max_pool2d"],
    },
    Defect {
        name: "D9",
        what: "denoising does not work, Boltzmann machines cannot become layers of a classifier",
        tests: &[
            ("units/tests.rs", "d9_a_denoising_unit_restores_what_was_masked_better_than_a_standard_one"),
            ("finetune/network.rs", "d9_a_classifier_takes_every_kind_of_unit"),
        ],
        checks: &[],
    },
    Defect {
        name: "D10",
        what: "the maximum of a block of negative values is the smallest positive number",
        tests: &[("scae/activation_maps.rs", "d10_a_map_of_negative_values_has_its_own_maximum")],
        checks: &[],
    },
];

/// The rows of this group.
pub fn checks() -> Vec<Check> {
    let row = |defect: Defect| {
        let tests: Vec<&str> = defect.tests.iter().map(|(_, test)| *test).collect();
        let also = match defect.checks {
            [] => String::new(),
            checks => format!("; also {}", checks.join(", ")),
        };
        let count = tests.len() as f64;
        let unit = if tests.len() == 1 { " test" } else { " tests" };
        let how = format!("{}{also}", tests.join(", "));
        Check::new(defect.name, format!("N-light-N's defect: {}", defect.what), how, Bar::NamedTests, move |_| {
            Ok(count)
        })
        .counted_in(unit)
    };
    DEFECTS.map(row).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn every_named_test_and_check_exists() {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let checks = crate::validation::checks(false);
        for defect in DEFECTS {
            assert!(!defect.tests.is_empty(), "{}", defect.name);
            for (file, test) in defect.tests {
                let text = std::fs::read_to_string(sources.join(file)).unwrap();
                assert!(
                    text.contains(&format!("    #[test]\n    fn {test}()"))
                        || text.contains(&format!("#[test]\nfn {test}()")),
                    "{file}: {test}"
                );
            }
            for name in defect.checks {
                assert!(checks.iter().any(|check| check.name == *name), "{}: {name}", defect.name);
            }
        }
    }

    #[test]
    fn no_test_of_a_defect_is_left_out() {
        // A test that bears the name of a defect belongs into the table.
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut folders = vec![sources];
        let listed: Vec<&str> = DEFECTS.iter().flat_map(|defect| defect.tests).map(|(_, test)| *test).collect();
        let mut found = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap();
                for name in text.lines().filter_map(|line| line.trim().strip_prefix("fn d")?.split_once('(')) {
                    let numbered = name.0.split_once('_').is_some_and(|(number, _)| number.parse::<u32>().is_ok());
                    if numbered {
                        let name = format!("d{}", name.0);
                        assert!(listed.contains(&name.as_str()), "{}: {name}", path.display());
                        found += 1;
                    }
                }
            }
        }
        assert!(found >= 17, "{found}");
    }
}
