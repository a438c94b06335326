//! The experiments of "A Pitfall of Unsupervised Pre-Training" (arXiv 1703.04332) on the Patchgrad engine.
//!
//! - [`units`]: auto-encoders for patches, what a stack is made of; [`unit_table`]: all of them side by side.
//! - [`scae`]: the stacked convolutional auto-encoder; [`cae`]: end-to-end ones; [`autoencoder`]: what they have in common;
//!   [`finetune`]: classifiers on top.
//! - [`training`]: runs that are saved, interrupted and resumed; [`files`]: writing files that survive a crash.
//! - [`probe`], [`scores`], [`linear_algebra`]: how good are features, how good are reconstructions, and the baselines.
//! - [`measures`], [`neighbours`], [`classification`]: the shape of a code, its nearest rows, and what a classifier gets right.
//! - [`config`]: a run as a TOML file; [`run_folder`]: its files; [`evaluation`]: what is measured of its network.
//! - [`statistics`]: what may be said about a correlation.
//! - [`validation`]: is it right? Experiment E0, a table of checks. [`version`]: of which state of the sources.
//! - [`suite`]: the experiments E0 to E8 behind one interface, the claims and their rules; [`correlation`]: experiment E1;
//!   [`separability`]: E2; [`decoder_bias`]: E3; [`before_after`]: E4; [`dynamics`]: E5; [`score_agreement`]: E6;
//!   [`selection_regret`]: E7; [`pretraining`]: E8.
//! - [`sweep`]: many networks, a row each; [`hypercube`]: drawing them; [`linear_decoder`]: the best one of a code.
//! - [`demo`]: the demonstration, from real pictures to a report; [`figures`], [`report`]: what it draws and writes.
#![forbid(unsafe_code)]

pub(crate) mod arrays;
pub mod autoencoder;
pub mod batches;
pub mod before_after;
pub mod cae;
pub mod classification;
pub mod cli;
pub mod config;
pub mod correlation;
pub mod data;
pub mod decoder_bias;
pub mod demo;
pub mod dynamics;
pub mod evaluation;
pub mod figures;
pub mod files;
pub mod finetune;
pub mod hypercube;
pub mod linear_algebra;
pub mod linear_decoder;
pub mod measures;
pub mod neighbours;
pub mod pictures;
pub mod pretraining;
pub mod probe;
pub mod report;
pub mod retrained_decoders;
pub mod run_folder;
pub mod scae;
pub mod score_agreement;
pub mod scores;
pub mod selection_regret;
pub mod separability;
pub mod statistics;
pub mod suite;
pub mod sweep;
pub mod training;
pub mod unit_table;
pub mod units;
pub mod validation;
pub mod version;
