//! Learning-rate schedules, as in `torch.optim.lr_scheduler`, in closed form.

use std::f64::consts::PI;

/// The learning rate as a function of the step (or epoch) alone: nothing to save, nothing to restore.
///
/// PyTorch computes most of these step by step; the closed forms agree up to rounding.
///
/// ```
/// use patchgrad::optim::Schedule;
/// let schedule = Schedule::Cosine { t_max: 100, eta_min: 0.0 }.after_warm_up(10, 0.1);
/// assert_eq!(schedule.lr(0.5, 0), 0.05);
/// assert_eq!(schedule.lr(0.5, 10), 0.5);
/// assert_eq!(schedule.lr(0.5, 60), 0.25);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    /// Always the base rate.
    Constant,
    /// `StepLR`: times `gamma` after every `step_size` steps.
    Step {
        /// Steps between two changes.
        step_size: u64,
        /// The factor.
        gamma: f64,
    },
    /// `MultiStepLR`: times `gamma` at each of the `milestones`.
    MultiStep {
        /// Steps at which the rate changes; one that is given twice counts twice.
        milestones: Vec<u64>,
        /// The factor.
        gamma: f64,
    },
    /// `ExponentialLR`: times `gamma` after every step.
    Exponential {
        /// The factor.
        gamma: f64,
    },
    /// `LinearLR`: the base rate times a factor that goes from `start_factor` to `end_factor` in `total_iters` steps.
    Linear {
        /// Factor of step 0.
        start_factor: f64,
        /// Factor of step `total_iters` and later.
        end_factor: f64,
        /// Steps in between.
        total_iters: u64,
    },
    /// `CosineAnnealingLR`: half a cosine from the base rate down to `eta_min` in `t_max` steps (and up again after that).
    ///
    /// # References
    /// Loshchilov and Hutter, arXiv 1608.03983.
    Cosine {
        /// Steps to the bottom.
        t_max: u64,
        /// The rate at the bottom.
        eta_min: f64,
    },
    /// `OneCycleLR` with cosines and two phases: from `base / div_factor` up to the base rate, which PyTorch calls `max_lr`,
    /// in the first `pct_start` of the steps, then down to `base / div_factor / final_div_factor`. Momentum stays.
    ///
    /// # References
    /// Smith and Topin, arXiv 1708.07120.
    OneCycle {
        /// Steps of the cycle; later steps stay at its end.
        total_steps: u64,
        /// The share of steps that go up.
        pct_start: f64,
        /// How far below the top it starts.
        div_factor: f64,
        /// How far below its start it ends.
        final_div_factor: f64,
    },
    /// `SequentialLR` of `LinearLR` and another: a linear climb from `start_factor` to 1, then the other from its step 0.
    WarmUp {
        /// Steps of the climb.
        steps: u64,
        /// Factor of step 0.
        start_factor: f64,
        /// What follows.
        then: Box<Schedule>,
    },
}

impl Schedule {
    /// `OneCycleLR` with PyTorch's defaults: up for 30 % of the steps, 25 and 10,000 below the top.
    pub fn one_cycle(total_steps: u64) -> Self {
        Self::OneCycle { total_steps, pct_start: 0.3, div_factor: 25.0, final_div_factor: 1e4 }
    }

    /// The same after `steps` steps of a linear climb from `start_factor` times the base rate.
    #[must_use]
    pub fn after_warm_up(self, steps: u64, start_factor: f64) -> Self {
        Self::WarmUp { steps, start_factor, then: Box::new(self) }
    }

    /// The rate of step `step`, counted from 0, for a base rate of `base`.
    pub fn lr(&self, base: f64, step: u64) -> f64 {
        match *self {
            Self::Constant => base,
            Self::Step { step_size, gamma } => base * power(gamma, step / step_size.max(1)),
            Self::MultiStep { ref milestones, gamma } => {
                base * power(gamma, milestones.iter().filter(|&&milestone| milestone <= step).count() as u64)
            }
            Self::Exponential { gamma } => base * power(gamma, step),
            Self::Linear { start_factor, end_factor, total_iters } => {
                base * (start_factor + (end_factor - start_factor) * share(step, total_iters))
            }
            Self::Cosine { t_max, eta_min } => cosine(base, eta_min, step as f64 / t_max.max(1) as f64),
            Self::OneCycle { total_steps, pct_start, div_factor, final_div_factor } => {
                let total_steps = total_steps.max(1);
                let (start, step) = (base / div_factor, step.min(total_steps - 1) as f64);
                let (top, end) = (pct_start * total_steps as f64 - 1.0, total_steps as f64 - 1.0);
                if step <= top {
                    cosine(start, base, step / top.max(f64::MIN_POSITIVE))
                } else {
                    cosine(base, start / final_div_factor, (step - top) / (end - top))
                }
            }
            Self::WarmUp { steps, start_factor, ref then } => match step.checked_sub(steps) {
                Some(step) => then.lr(base, step),
                None => base * (start_factor + (1.0 - start_factor) * share(step, steps)),
            },
        }
    }
}

/// `base^exponent`, by squaring: a few products, whose bits no library decides.
fn power(base: f64, exponent: u64) -> f64 {
    let (mut result, mut square, mut rest) = (1.0, base, exponent);
    while rest > 0 {
        if rest & 1 == 1 {
            result *= square;
        }
        square *= square;
        rest >>= 1;
    }
    result
}

/// `step / total`, at most 1; 1 without a total.
fn share(step: u64, total: u64) -> f64 {
    if step >= total { 1.0 } else { step as f64 / total as f64 }
}

/// Half a cosine from `start` (share 0) to `end` (share 1), with the same bits on every platform.
fn cosine(start: f64, end: f64, share: f64) -> f64 {
    end + (start - end) * (1.0 + libm::cos(PI * share)) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_divide_by_nothing() {
        let schedules = [
            Schedule::Step { step_size: 0, gamma: 0.1 },
            Schedule::Linear { start_factor: 0.5, end_factor: 1.0, total_iters: 0 },
            Schedule::Cosine { t_max: 0, eta_min: 0.0 },
            Schedule::one_cycle(0),
            Schedule::one_cycle(1),
            Schedule::one_cycle(2),
            Schedule::Constant.after_warm_up(0, 0.1),
        ];
        for schedule in schedules {
            for step in [0, 1, 2, 100] {
                assert!(schedule.lr(0.5, step).is_finite(), "{schedule:?} at step {step}");
            }
        }
    }

    #[test]
    fn without_steps_in_between_a_linear_schedule_is_at_its_end() {
        let schedule = Schedule::Linear { start_factor: 0.5, end_factor: 0.25, total_iters: 0 };
        assert_eq!(schedule.lr(1.0, 0), 0.25);
    }

    #[test]
    fn a_cycle_stays_at_its_end() {
        let schedule = Schedule::one_cycle(10);
        let end = 0.5 / 25.0 / 1e4;
        assert!((schedule.lr(0.5, 9) - end).abs() < 1e-12);
        assert_eq!(schedule.lr(0.5, 1_000), schedule.lr(0.5, 9));
    }
}
