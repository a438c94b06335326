//! Threads: the one file that names rayon.
//!
//! Work is cut into chunks whose number depends on the problem and never on the number of threads; a chunk writes its
//! own part of the output, and partial sums are folded in the order of the chunks. So any number of threads gives the
//! same bits.

use rayon::prelude::*;
use std::{
    cell::Cell,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

/// Elements that an element-wise pass gives to one chunk: 64 KiB of f32, enough to pay for handing it to a thread.
pub const ELEMENTS_PER_CHUNK: usize = 16 * 1024;

/// As many threads as anyone should ask for.
pub const MOST_THREADS: usize = 1024;

thread_local! {
    /// Set while [`sequential`] runs: chunks are then visited one after the other on this thread.
    static SEQUENTIAL: Cell<bool> = const { Cell::new(false) };
}

/// Runs `f` on the chunks of `data`, `chunk_len` elements each (the last may be shorter), as `f(chunk_index, chunk)`.
pub fn for_each_chunk<T: Send>(data: &mut [T], chunk_len: usize, f: impl Fn(usize, &mut [T]) + Sync) {
    if runs_here(data.len().div_ceil(chunk_len)) {
        data.chunks_mut(chunk_len).enumerate().for_each(|(i, chunk)| f(i, chunk));
    } else {
        data.par_chunks_mut(chunk_len).enumerate().for_each(|(i, chunk)| f(i, chunk));
    }
}

/// Runs `f` on the chunks of two slices side by side, as `f(chunk_index, chunk_of_a, chunk_of_b)`.
///
/// # Panics
/// If the two slices do not have the same number of chunks.
pub fn for_each_chunk_pair<A: Send, B: Send>(
    (a, a_len): (&mut [A], usize),
    (b, b_len): (&mut [B], usize),
    f: impl Fn(usize, &mut [A], &mut [B]) + Sync,
) {
    let chunks = a.len().div_ceil(a_len);
    assert_eq!(chunks, b.len().div_ceil(b_len), "parallel: the slices have different numbers of chunks");
    if runs_here(chunks) {
        a.chunks_mut(a_len).zip(b.chunks_mut(b_len)).enumerate().for_each(|(i, (a, b))| f(i, a, b));
    } else {
        a.par_chunks_mut(a_len).zip(b.par_chunks_mut(b_len)).enumerate().for_each(|(i, (a, b))| f(i, a, b));
    }
}

/// Memory that chunks work in, a part for each thread and not for each chunk: so it stays small, and in the cache of the
/// thread that goes from chunk to chunk. What a part holds when it is handed out is not specified.
#[derive(Debug)]
pub struct Scratch<'a> {
    free: Mutex<Vec<&'a mut [f32]>>,
}

impl<'a> Scratch<'a> {
    /// The length of the memory that [`new`](Self::new) cuts into parts of `len` for a loop over `chunks` chunks.
    pub fn total_len(len: usize, chunks: usize) -> usize {
        len * threads().min(chunks)
    }

    /// Parts of `len` values.
    pub fn new(memory: &'a mut [f32], len: usize) -> Self {
        Self { free: Mutex::new(if len == 0 { Vec::new() } else { memory.chunks_exact_mut(len).collect() }) }
    }

    /// Calls `f` with a part that nobody else has meanwhile; with an empty one if the parts have no length.
    ///
    /// # Panics
    /// If more calls run at once than there are parts.
    pub fn with<R>(&self, f: impl FnOnce(&mut [f32]) -> R) -> R {
        let lock = || self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut part = lock().pop();
        let result = f(part.as_deref_mut().unwrap_or_default());
        lock().extend(part);
        result
    }
}

/// Runs `f` on the chunks of three slices of equal length side by side, as `f(chunk_index, chunk_of_a, ..b, ..c)`.
///
/// # Panics
/// If the slices differ in length.
pub fn for_each_chunk_triple<T: Send>(
    a: &mut [T],
    b: &mut [T],
    c: &mut [T],
    chunk_len: usize,
    f: impl Fn(usize, &mut [T], &mut [T], &mut [T]) + Sync,
) {
    assert!(a.len() == b.len() && b.len() == c.len(), "parallel: the slices differ in length");
    if runs_here(a.len().div_ceil(chunk_len)) {
        let chunks = a.chunks_mut(chunk_len).zip(b.chunks_mut(chunk_len)).zip(c.chunks_mut(chunk_len));
        chunks.enumerate().for_each(|(i, ((a, b), c))| f(i, a, b, c));
    } else {
        let chunks = a.par_chunks_mut(chunk_len).zip(b.par_chunks_mut(chunk_len)).zip(c.par_chunks_mut(chunk_len));
        chunks.enumerate().for_each(|(i, ((a, b), c))| f(i, a, b, c));
    }
}

/// `f(0) + f(1) + ... + f(chunks - 1)`, computed in parallel and added in this order.
pub fn sum_of_chunks(chunks: usize, f: impl Fn(usize) -> f64 + Sync + Send) -> f64 {
    if runs_here(chunks) { (0..chunks).map(f).sum() } else { map(chunks, f).into_iter().sum() }
}

/// `[f(0), f(1), ..., f(count - 1)]`, computed in parallel.
pub fn map<R: Send>(count: usize, f: impl Fn(usize) -> R + Sync + Send) -> Vec<R> {
    if runs_here(count) { (0..count).map(f).collect() } else { (0..count).into_par_iter().map(f).collect() }
}

/// Runs whole jobs side by side, each on one thread: `[job(0), ..., job(count - 1)]`.
///
/// For many small networks this beats threads inside one. A thread that is free takes the next job, so long jobs belong to
/// the front. The results do not depend on the number of threads.
pub fn map_jobs<R: Send>(count: usize, job: impl Fn(usize) -> R + Sync + Send) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let take_jobs = |_worker: usize| {
        let mut done = Vec::new();
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            if i >= count {
                return done;
            }
            done.push((i, sequential(|| job(i))));
        }
    };
    let workers = (0..threads()).into_par_iter().with_max_len(1);
    let mut done: Vec<(usize, R)> = workers.map(take_jobs).flatten_iter().collect();
    done.sort_unstable_by_key(|(i, _)| *i);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Runs `f` with every chunk loop inside it on the calling thread. The bits are the same as without.
pub fn sequential<R>(f: impl FnOnce() -> R) -> R {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            SEQUENTIAL.set(self.0);
        }
    }
    let _restore = Restore(SEQUENTIAL.replace(true));
    f()
}

/// Runs `f` with `threads` threads for everything inside it; 0 means one for each core.
///
/// # Panics
/// If the operating system refuses the threads, or there are more than [`MOST_THREADS`].
pub fn with_threads<R: Send>(threads: usize, f: impl FnOnce() -> R + Send) -> R {
    assert!(threads <= MOST_THREADS, "{threads} threads are more than {MOST_THREADS}");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.unwrap_or_else(|error| panic!("cannot start {threads} threads: {error}")).install(f)
}

/// The number of threads that chunks are spread over here.
pub fn threads() -> usize {
    if SEQUENTIAL.get() { 1 } else { rayon::current_num_threads() }
}

/// Whether handing out `chunks` chunks is not worth it, or switched off.
fn runs_here(chunks: usize) -> bool {
    chunks <= 1 || SEQUENTIAL.get() || rayon::current_num_threads() == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_the_same_for_any_number_of_threads() {
        let value = |i: usize| 1.0 / (i as f64 + 0.3);
        let expected = sequential(|| sum_of_chunks(1000, value));
        for threads in [1, 2, 8] {
            assert_eq!(with_threads(threads, || sum_of_chunks(1000, value)).to_bits(), expected.to_bits());
        }
    }

    #[test]
    fn jobs_run_their_chunks_on_their_own_thread() {
        let counts = with_threads(2, || map_jobs(5, |i| (i, threads())));
        assert_eq!(counts, (0..5).map(|i| (i, 1)).collect::<Vec<_>>());
        assert_eq!(with_threads(2, threads), 2);
    }

    #[test]
    fn every_thread_has_scratch_of_its_own() {
        for threads in [1, 2, 8] {
            let mut sums = vec![0.0; 1000];
            with_threads(threads, || {
                let mut memory = vec![0.0; Scratch::total_len(3, sums.len())];
                assert_eq!(memory.len(), 3 * threads);
                let scratch = Scratch::new(&mut memory, 3);
                for_each_chunk(&mut sums, 1, |i, sum| {
                    scratch.with(|part| {
                        part.fill(i as f32);
                        std::thread::yield_now();
                        sum[0] = part.iter().sum();
                    });
                });
            });
            assert!(sums.iter().enumerate().all(|(i, &sum)| sum == 3.0 * i as f32));
        }
        Scratch::new(&mut [], 0).with(|part| assert!(part.is_empty()));
    }

    #[test]
    fn pairs_of_chunks_match_and_the_last_may_be_short() {
        let (mut a, mut b) = (vec![0; 7], vec![0; 4]);
        for_each_chunk_pair((&mut a, 2), (&mut b, 1), |i, a, b| {
            a.fill(i);
            b.fill(a.len());
        });
        assert_eq!((a, b), (vec![0, 0, 1, 1, 2, 2, 3], vec![2, 2, 2, 1]));
    }
}
