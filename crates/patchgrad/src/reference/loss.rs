//! Losses by definition, each with its gradient: `(loss, gradient)` in f64.

/// `mean of (prediction - target)^2` and `2 (prediction - target) / count`.
pub fn mse_loss(prediction: &[f32], target: &[f32]) -> (f64, Vec<f64>) {
    let count = prediction.len() as f64;
    let error: Vec<f64> = prediction.iter().zip(target).map(|(&p, &t)| f64::from(p) - f64::from(t)).collect();
    (error.iter().map(|e| e * e).sum::<f64>() / count, error.iter().map(|e| 2.0 * e / count).collect())
}

/// `mean of -t ln s(x) - (1 - t) ln(1 - s(x))` with the logistic function s, and `(s(x) - t) / count`.
pub fn bce_with_logits(logits: &[f32], target: &[f32]) -> (f64, Vec<f64>) {
    let count = logits.len() as f64;
    let pairs = || logits.iter().zip(target).map(|(&x, &t)| (f64::from(x), f64::from(t)));
    // -ln s(x) = ln(1 + e^-x) and -ln(1 - s(x)) = x + ln(1 + e^-x); e^-|x| never overflows.
    let loss = pairs().map(|(x, t)| x.max(0.0) - x * t + (-x.abs()).exp().ln_1p()).sum::<f64>() / count;
    (loss, pairs().map(|(x, t)| (1.0 / (1.0 + (-x).exp()) - t) / count).collect())
}

/// `mean over rows of -ln softmax(logits)[label]` and `(softmax - one-hot) / rows`, for `logits` `[rows, classes]`.
pub fn cross_entropy(classes: usize, logits: &[f32], labels: &[u32]) -> (f64, Vec<f64>) {
    let rows = labels.len() as f64;
    let mut loss = 0.0;
    let mut gradient = Vec::with_capacity(logits.len());
    for (row, &label) in logits.chunks(classes).zip(labels) {
        let largest = row.iter().fold(f64::NEG_INFINITY, |m, &x| m.max(f64::from(x)));
        let total: f64 = row.iter().map(|&x| (f64::from(x) - largest).exp()).sum();
        loss += total.ln() + largest - f64::from(row[label as usize]);
        for (class, &x) in row.iter().enumerate() {
            let one_hot = if class == label as usize { 1.0 } else { 0.0 };
            gradient.push(((f64::from(x) - largest).exp() / total - one_hot) / rows);
        }
    }
    (loss / rows, gradient)
}
