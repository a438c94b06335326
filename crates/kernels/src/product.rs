//! The register tile: one product of matrices whose rows are *addresses*, under every pass of a convolution.
//!
//! ```text
//! out[row.out + j]  =  start  +  sum over segments s, over t < s.len of  a[row.a + s.a + t * a_step] * b[s.b + t][j]
//! ```
//!
//! A convolution never builds its patch matrix here. A row knows where its window starts, a segment where in the window a
//! run of terms lies and which run of rows of `b` it meets; any stride, dilation, group or gradient is another table:
//!
//! | pass | a row is | a segment is | `b` |
//! |---|---|---|---|
//! | forward | an output pixel | a kernel row: `(kw, c)` | the weight |
//! | gradient of the input | an input pixel | a kernel row, mirrored: `(kw, o)` | the weight, transposed |
//! | gradient of the weight | a tap and channel `(kh, kw, c)` | a row of output pixels | the gradient of the output |
//!
//! The sums of a tile of six rows (14 with AVX-512) and two vectors of columns stay in registers. One step loads the
//! two vectors of `b` once for all rows and broadcasts one value of `a` for each row: 8 loads for 12 multiply-adds with
//! AVX2, so the arithmetic is the limit. A tile of two rows has four vectors, one of a single row eight.
//!
//! # References
//! Dukhan: "The indirect convolution algorithm", arXiv 1907.02129. Goto, van de Geijn: "Anatomy of high-performance matrix
//! multiplication" (2008), for the tile in registers.

use crate::simd::{Vector, on_active_isa};

/// Columns of one panel of a packed `b`.
pub const PANEL: usize = 16;

/// Terms that are summed before the next panel of `b` is visited, where they lie side by side in `a`: 128 KiB of a panel,
/// which streams from the second-level cache as fast as the tile reads it.
const TERMS_PER_BLOCK: usize = 2048;

/// The longest segment where the terms lie apart: the smallest block of any instruction set, see
/// [`Vector::SPREAD_TERMS_PER_BLOCK`].
const LONGEST_SPREAD_SEGMENT: usize = 128;

/// Rows that share a panel of `b` before the next one is visited.
const ROWS_PER_BAND: usize = 96;

/// One row of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Where its terms start in `a`.
    pub a: usize,
    /// Where its first column goes in `out`.
    pub out: usize,
}

/// A run of terms, the same for all rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Offset of the run in `a`, added to that of the row.
    pub a: usize,
    /// Number of the first term: its row in `b`.
    pub b: usize,
    /// Number of terms.
    pub len: usize,
}

impl Segment {
    /// How many values of `a`, from a row at `row_a` on, and rows of `b` its terms reach over. There is one at least.
    fn ends(&self, row_a: usize, step: usize) -> Option<[usize; 2]> {
        let last = row_a.checked_add(self.a)?.checked_add((self.len - 1).checked_mul(step)?)?;
        Some([last.checked_add(1)?, self.b.checked_add(self.len)?])
    }

    /// Whether the terms of `next` go on where these end.
    fn is_followed_by(&self, next: Segment, step: usize) -> bool {
        let end_of_a = self.len.checked_mul(step).and_then(|len| self.a.checked_add(len));
        end_of_a == Some(next.a) && self.b.checked_add(self.len) == Some(next.b)
    }
}

/// Rows and segments of a product, and how far they reach.
///
/// It is made once for a shape and used for many slices: what a product touches is known without another look at the rows.
#[derive(Clone, Debug)]
pub struct Table {
    rows: Vec<Row>,
    segments: Vec<Segment>,
    /// Distance between the terms of a segment in `a`.
    step: usize,
    /// Elements of `a` that are needed.
    a_len: usize,
    /// Rows of `b` that are needed.
    terms: usize,
    /// The largest `Row::out`.
    last_out: usize,
}

impl Table {
    /// The terms of a segment lie `step` values apart in `a`.
    ///
    /// Segments that continue each other are joined, those of more than 2,048 terms (128 where `step` is not 1) cut into
    /// equal parts; empty ones are dropped.
    ///
    /// # Panics
    /// If a term of a row or a segment has an offset that cannot be counted.
    pub fn new(rows: Vec<Row>, segments: impl IntoIterator<Item = Segment>, step: usize) -> Self {
        let last_a = rows.iter().map(|row| row.a).max().unwrap_or(0);
        let last_out = rows.iter().map(|row| row.out).max().unwrap_or(0);
        let (mut a_len, mut terms) = (0, 0);
        let mut joined: Vec<Segment> = Vec::new();
        for segment in segments {
            if segment.len > 0 {
                let [a_end, b_end] = segment.ends(last_a, step).expect("product: an offset that cannot be counted");
                (a_len, terms) = (a_len.max(a_end), terms.max(b_end));
            }
            match joined.last_mut() {
                Some(last) if last.is_followed_by(segment, step) => last.len += segment.len,
                _ => joined.push(segment),
            }
        }
        let most = if step == 1 { TERMS_PER_BLOCK } else { LONGEST_SPREAD_SEGMENT };
        let segments: Vec<Segment> = joined.into_iter().flat_map(|segment| cut(segment, step, most)).collect();
        Self { rows, segments, step, a_len, terms, last_out }
    }

    /// The shortest segment; 0 when there is none.
    pub fn shortest_segment(&self) -> usize {
        self.segments.iter().map(|segment| segment.len).min().unwrap_or(0)
    }

    /// Distance between the terms of a segment in `a`.
    pub fn step(&self) -> usize {
        self.step
    }

    /// Rows of `b` that are needed.
    pub fn terms(&self) -> usize {
        self.terms
    }

    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    pub(crate) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Asserts that `a` holds what is read and `out` what is written.
    pub(crate) fn check(&self, a_len: usize, columns: usize, start: Start, out_len: usize) {
        assert!(self.a_len <= a_len, "product: {} values of a are needed, {a_len} given", self.a_len);
        let end = self.last_out.checked_add(columns).expect("product: an offset that cannot be counted");
        assert!(self.rows.is_empty() || end <= out_len, "product: {end} values of out are needed, {out_len} given");
        if let Start::Bias(bias) = start {
            assert_eq!(bias.len(), columns, "product: one bias for each column");
        }
    }
}

/// `segment` in equal parts of at most `most` terms, the last possibly shorter.
fn cut(segment: Segment, step: usize, most: usize) -> impl Iterator<Item = Segment> {
    let part = segment.len.div_ceil(segment.len.div_ceil(most).max(1)).max(1);
    (0..segment.len).step_by(part).map(move |from| Segment {
        a: segment.a + from * step,
        b: segment.b + from,
        len: part.min(segment.len - from),
    })
}

/// The right operand `b`: column `j` of term `t` lies at `j / 16 * panel_stride + t * step + j % 16`.
#[derive(Clone, Copy, Debug)]
pub struct Right<'a> {
    values: &'a [f32],
    panel_stride: usize,
    step: usize,
}

impl<'a> Right<'a> {
    /// Panels of 16 columns one after the other, each `terms` rows long: what [`pack`](crate::pack) writes.
    ///
    /// # Panics
    /// If `values` is not a whole number of panels.
    pub fn packed(values: &'a [f32], terms: usize) -> Self {
        let panel_stride = terms.checked_mul(PANEL).expect("Right::packed: terms that cannot be counted");
        assert!(
            values.len().is_multiple_of(panel_stride.max(1)),
            "Right::packed: panels of {panel_stride} values expected"
        );
        Self { values, panel_stride, step: PANEL }
    }

    /// A row-major matrix as it lies in memory, its rows `step` values apart. A product reads its columns in panels of 16, the
    /// last of which has to lie inside `values` in every row that is read, the last row too.
    pub fn in_place(values: &'a [f32], step: usize) -> Self {
        Self { values, panel_stride: PANEL, step }
    }

    /// Asserts that whole panels of `columns` columns and `terms` rows lie inside.
    fn check(&self, terms: usize, columns: usize) {
        if terms > 0 && columns > 0 {
            let panel = ((columns - 1) / PANEL).checked_mul(self.panel_stride);
            let row = (terms - 1).checked_mul(self.step);
            let end = panel.zip(row).and_then(|(panel, row)| panel.checked_add(row)?.checked_add(PANEL));
            let end = end.expect("product: an offset that cannot be counted");
            assert!(end <= self.values.len(), "product: {end} values of b are needed, {} given", self.values.len());
        }
    }
}

/// What a sum starts from.
#[derive(Clone, Copy, Debug)]
pub enum Start<'a> {
    /// From 0: `out` is overwritten and may be anything.
    Zero,
    /// From one value for each column: `out` is overwritten.
    Bias(&'a [f32]),
    /// From what `out` holds.
    Out,
}

/// `out = start + a b` for `columns` columns, see the module. Every output of a row of the table is written, also when
/// there are no terms.
///
/// The order of the sum of one output depends on the segments and the instruction set alone: that of the formula, in blocks of
/// at most 2,048 terms (128 or 512 where the step is not 1), each added to what `out` holds so far.
///
/// # Panics
/// If a row or a segment leaves `a`, `b` or `out`, or the bias is not `columns` long.
pub fn product(table: &Table, a: &[f32], b: Right, columns: usize, start: Start, out: &mut [f32]) {
    table.check(a.len(), columns, start, out.len());
    b.check(table.terms, columns);
    let work = &Work { table, a, b, columns, start };
    on_active_isa!(run(work: &Work, out: &mut [f32]));
}

/// The arguments of [`product`], checked.
struct Work<'a> {
    table: &'a Table,
    a: &'a [f32],
    b: Right<'a>,
    columns: usize,
    start: Start<'a>,
}

/// # Safety
/// As [`Vector`]; `work` was checked against `out`.
#[inline(always)]
unsafe fn run<V: Vector>(work: &Work, out: &mut [f32]) {
    let mut start = work.start;
    let mut rest = &work.table.segments[..];
    let most = if work.table.step == 1 { TERMS_PER_BLOCK } else { V::SPREAD_TERMS_PER_BLOCK };
    loop {
        let (block, after) = rest.split_at(block_len(rest, most));
        // SAFETY: as this function's; a block is some of the segments.
        unsafe { run_block::<V>(work, block, start, out) };
        if after.is_empty() {
            return;
        }
        (start, rest) = (Start::Out, after);
    }
}

/// How many of the first segments have at most `most` terms together; one if there are any.
fn block_len(segments: &[Segment], most: usize) -> usize {
    let mut terms = 0;
    let fits = |segment: &&Segment| {
        terms += segment.len;
        terms <= most
    };
    segments.iter().take_while(fits).count().max(1).min(segments.len())
}

/// One block of segments: bands of rows, columns two vectors at a time (four or eight for a band of two rows or one), tiles of rows.
///
/// # Safety
/// As [`run`].
#[inline(always)]
unsafe fn run_block<V: Vector>(work: &Work, segments: &[Segment], start: Start, out: &mut [f32]) {
    for band in work.table.rows.chunks(ROWS_PER_BAND) {
        let tile_at = |column: usize| Tile {
            segments,
            a: work.a,
            step: work.table.step,
            b: work.b,
            column,
            columns: work.columns,
            start,
        };
        // One or two rows in tiles of two vectors would have too few sums to hide how long a multiply-add takes, and touch `b` in
        // short pieces.
        let wide = match band.len() {
            1 => 8 * V::LANES,
            2 => 4 * V::LANES,
            _ => 0,
        };
        let done = work.columns.checked_div(wide).unwrap_or(0) * wide;
        for column in (0..done).step_by(wide.max(1)) {
            // SAFETY: as this function's; `column` and a whole tile from it on are below `columns`.
            unsafe {
                match band.len() {
                    1 => tile_at(column).tiles::<V, 1, 8>(band, out),
                    2 => tile_at(column).tiles::<V, 2, 4>(band, out),
                    _ => unreachable!("wider tiles are those of one and two rows"),
                }
            }
        }
        for column in (done..work.columns).step_by(2 * V::LANES) {
            let tile = tile_at(column);
            // SAFETY: as this function's; `column` is below `columns`.
            unsafe {
                if work.columns - column > V::LANES {
                    tile.rows::<V, 2>(band, out);
                } else {
                    tile.rows::<V, 1>(band, out);
                }
            }
        }
    }
}

/// What the tiles of one band have in common.
struct Tile<'a> {
    segments: &'a [Segment],
    a: &'a [f32],
    /// Distance between the terms of a segment in `a`.
    step: usize,
    b: Right<'a>,
    /// The first column.
    column: usize,
    /// The end of all columns: vectors that reach beyond it are stored in part.
    columns: usize,
    start: Start<'a>,
}

impl Tile<'_> {
    /// All rows of `band`, in tiles of nearly equal height: first the higher ones, then those with one row less.
    ///
    /// # Safety
    /// As [`run`].
    #[inline(always)]
    unsafe fn rows<V: Vector, const VECTORS: usize>(&self, band: &[Row], out: &mut [f32]) {
        let tiles = band.len().div_ceil(V::TILE_ROWS);
        let (height, higher) = (band.len() / tiles, band.len() % tiles);
        let (first, second) = band.split_at(higher * (height + 1));
        // SAFETY: as this function's; at most TILE_ROWS rows in a tile.
        unsafe {
            self.tiles_of_height::<V, VECTORS>(height + 1, first, out);
            self.tiles_of_height::<V, VECTORS>(height, second, out);
        }
    }

    /// All rows of `rows`, in tiles of `height` rows.
    ///
    /// # Safety
    /// As [`run`].
    #[inline(always)]
    unsafe fn tiles_of_height<V: Vector, const VECTORS: usize>(&self, height: usize, rows: &[Row], out: &mut [f32]) {
        if rows.is_empty() {
            return;
        }
        // SAFETY: as this function's.
        unsafe {
            match height {
                1 => self.tiles::<V, 1, VECTORS>(rows, out),
                2 => self.tiles::<V, 2, VECTORS>(rows, out),
                3 => self.tiles::<V, 3, VECTORS>(rows, out),
                4 => self.tiles::<V, 4, VECTORS>(rows, out),
                5 => self.tiles::<V, 5, VECTORS>(rows, out),
                6 => self.tiles::<V, 6, VECTORS>(rows, out),
                7 => self.tiles::<V, 7, VECTORS>(rows, out),
                8 => self.tiles::<V, 8, VECTORS>(rows, out),
                9 => self.tiles::<V, 9, VECTORS>(rows, out),
                10 => self.tiles::<V, 10, VECTORS>(rows, out),
                11 => self.tiles::<V, 11, VECTORS>(rows, out),
                12 => self.tiles::<V, 12, VECTORS>(rows, out),
                13 => self.tiles::<V, 13, VECTORS>(rows, out),
                _ => self.tiles::<V, 14, VECTORS>(rows, out),
            }
        }
    }

    /// Tiles of `ROWS` rows until `rows`, a multiple of it, is done.
    ///
    /// # Safety
    /// As [`run`].
    #[inline(always)]
    unsafe fn tiles<V: Vector, const ROWS: usize, const VECTORS: usize>(&self, rows: &[Row], out: &mut [f32]) {
        debug_assert!(ROWS <= V::TILE_ROWS && rows.len().is_multiple_of(ROWS));
        // Decided when compiled: `rows` above never asks for a tile that the registers do not hold.
        if ROWS <= V::TILE_ROWS {
            for rows in rows.as_chunks::<ROWS>().0 {
                // SAFETY: as this function's.
                unsafe { self.sums::<V, ROWS, VECTORS>(rows, out) };
            }
        }
    }

    /// The tile itself: `ROWS` rows and `VECTORS` vectors of columns, all sums in registers.
    ///
    /// # Safety
    /// As [`run`].
    #[inline(always)]
    unsafe fn sums<V: Vector, const ROWS: usize, const VECTORS: usize>(&self, rows: &[Row; ROWS], out: &mut [f32]) {
        let lanes: [usize; VECTORS] =
            std::array::from_fn(|v| (self.columns - self.column).saturating_sub(v * V::LANES).min(V::LANES));
        // SAFETY: the two `check`s made sure that for every row, segment, term t and column the elements
        //   a[row.a + segment.a + t * step],  b[column / 16 * panel_stride + (segment.b + t) * b.step + column % 16 ..],
        //   out[row.out + column]
        // lie inside their slices; whole vectors of `b` too, because its panels are 16 wide and LANES divides 16. Partial
        // vectors of bias and `out` touch `lanes` values only. Without terms nothing was checked of `a` and `b`: `starts` and
        // `panels` wrap and are not read. The CPU has V's instructions, as the caller says.
        unsafe {
            let mut sums = [[V::splat(0.0); VECTORS]; ROWS];
            match self.start {
                Start::Zero => {}
                Start::Bias(bias) => {
                    for v in 0..VECTORS {
                        let value = load::<V>(bias.as_ptr().add(self.column + v * V::LANES), lanes[v]);
                        for sum in &mut sums {
                            sum[v] = value;
                        }
                    }
                }
                Start::Out => {
                    for r in 0..ROWS {
                        for v in 0..VECTORS {
                            let from = out.as_ptr().add(rows[r].out + self.column + v * V::LANES);
                            sums[r][v] = load::<V>(from, lanes[v]);
                        }
                    }
                }
            }
            let starts: [*const f32; ROWS] = std::array::from_fn(|r| self.a.as_ptr().wrapping_add(rows[r].a));
            let panels: [*const f32; VECTORS] = std::array::from_fn(|v| {
                let column = self.column + v * V::LANES;
                self.b.values.as_ptr().wrapping_add(column / PANEL * self.b.panel_stride + column % PANEL)
            });
            for segment in self.segments {
                // Indices from fixed pointers, so that a step moves two numbers and not ROWS + VECTORS pointers.
                let (mut a, mut b) = (segment.a, segment.b * self.b.step);
                for _ in 0..segment.len {
                    let b_now = panels.map(|panel| V::load(panel.add(b)));
                    for r in 0..ROWS {
                        let a_now = V::splat(*starts[r].add(a));
                        for v in 0..VECTORS {
                            sums[r][v] = a_now.mul_add(b_now[v], sums[r][v]);
                        }
                    }
                    a += self.step;
                    b += self.b.step;
                }
            }
            for r in 0..ROWS {
                for v in 0..VECTORS {
                    let to = out.as_mut_ptr().add(rows[r].out + self.column + v * V::LANES);
                    if lanes[v] == V::LANES {
                        sums[r][v].store(to);
                    } else {
                        sums[r][v].store_first(to, lanes[v]);
                    }
                }
            }
        }
    }
}

/// # Safety
/// As [`Vector::load_first`].
#[inline(always)]
unsafe fn load<V: Vector>(from: *const f32, count: usize) -> V {
    // SAFETY: as this function's.
    unsafe { if count == V::LANES { V::load(from) } else { V::load_first(from, count) } }
}

#[cfg(test)]
mod tests;
