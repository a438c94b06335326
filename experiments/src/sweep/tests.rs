//! Sweeps that are stopped, resumed, split and joined.

use super::*;
use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Row {
    name: String,
    value: f64,
    error: Option<f64>,
}

/// Numbers that take no time; it counts how many were asked for and interrupts itself after some.
struct Numbers {
    seed: u64,
    asked: AtomicUsize,
    most: usize,
    interrupt: Interrupt,
}

impl Numbers {
    fn new(seed: u64) -> Self {
        Self { seed, asked: AtomicUsize::new(0), most: usize::MAX, interrupt: Interrupt::new() }
    }
}

impl Sweep for Numbers {
    type Row = Row;

    fn plan(&self) -> String {
        "23 numbers".to_string()
    }

    fn len(&self) -> usize {
        23
    }

    fn cost(&self, index: usize) -> f64 {
        1.0 + (index % 5) as f64
    }

    fn is_waited_for(&self, index: usize) -> bool {
        index % 10 == 7
    }

    fn row(&self, index: usize) -> Row {
        if self.asked.fetch_add(1, Ordering::SeqCst) + 1 >= self.most {
            self.interrupt.request();
        }
        let value = patchgrad::random::stream(self.seed, "test", index as u64);
        let value = rand::RngExt::random::<f64>(&mut { value });
        Row { name: format!("a \"row\", {index}"), value, error: (!index.is_multiple_of(3)).then_some(value / 3.0) }
    }

    fn failed(&self, _: usize, reason: String) -> Row {
        failed(reason)
    }
}

fn failed(reason: String) -> Row {
    Row { name: reason, value: 0.0, error: None }
}

fn identity(seed: u64) -> Identity {
    let text = |text: &str| text.to_string();
    Identity {
        name: text("test"),
        profile: text("smoke"),
        seed,
        data: vec![text("none")],
        pictures: [6, 0, 0],
        plan: text("23 numbers"),
        rows: 23,
        instruction_set: text("any"),
        decompositions: text("avx2"),
        version: text("1"),
        commit: text("0123456789ab"),
    }
}

fn run_in(folder: &Path, sweep: &Numbers, jobs: usize, shard: &str) -> Result<Vec<Row>, SweepError> {
    let settings = Settings { jobs, shard: shard.parse().unwrap(), interrupt: &sweep.interrupt, progress: &|_| () };
    run(sweep, &identity(sweep.seed), folder, &settings)
}

fn rows(folder: &Path) -> String {
    fs::read_to_string(folder.join("rows.csv")).unwrap()
}

#[test]
fn any_number_of_jobs_and_stops_ends_in_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let straight = run_in(&at("straight"), &Numbers::new(1), 1, "1/1").unwrap();
    assert_eq!(straight.len(), 23);
    assert!(rows(&at("straight")).starts_with("index,name,value,error\n0,\"a \"\"row\"\", 0\",0."));
    for jobs in [0, 2, 8] {
        let name = format!("jobs{jobs}");
        assert_eq!(run_in(&at(&name), &Numbers::new(1), jobs, "1/1").unwrap(), straight);
        assert_eq!(rows(&at(&name)), rows(&at("straight")));
    }
    let mut asked = 0;
    let resumed = loop {
        let sweep = Numbers { most: 4, ..Numbers::new(1) };
        let outcome = run_in(&at("stopped"), &sweep, 1, "1/1");
        asked += sweep.asked.load(Ordering::SeqCst);
        match outcome {
            Ok(rows) => break rows,
            Err(error @ SweepError::Interrupted { .. }) => {
                assert_eq!(error.exit_code(), 75);
                // A crash within a line: the line is lost, and computed again.
                let journal = at("stopped").join("journal.csv");
                let text = fs::read_to_string(&journal).unwrap();
                fs::write(&journal, &text[..text.len() - 5]).unwrap();
            }
            Err(other) => panic!("{other}"),
        }
    };
    assert_eq!(resumed, straight);
    assert_eq!(rows(&at("stopped")), rows(&at("straight")));
    assert!(!at("stopped").join("journal.csv").exists());
    // 7 stops, each of which lost a row.
    assert_eq!(asked, 23 + 7);
    // One that is done does nothing.
    let again = Numbers::new(1);
    run_in(&at("straight"), &again, 2, "1/1").unwrap();
    assert_eq!(again.asked.load(Ordering::SeqCst), 0);
}

#[test]
fn pieces_run_side_by_side_where_each_thread_has_one() {
    let chosen = |jobs, pieces| parallel::with_threads(4, || side_by_side(jobs, pieces));
    assert_eq!([chosen(0, 23), chosen(0, 4), chosen(0, 3)], [4, 4, 1]);
    assert_eq!([chosen(1, 23), chosen(2, 23), chosen(8, 23), chosen(8, 3)], [1, 2, 8, 3]);
}

#[test]
fn what_others_wait_for_comes_first_and_then_what_takes_long() {
    let folder = tempfile::tempdir().unwrap();
    let sweep = Numbers { most: 6, ..Numbers::new(1) };
    run_in(folder.path(), &sweep, 1, "1/1").unwrap_err();
    let journal = fs::read_to_string(folder.path().join("journal.csv")).unwrap();
    let order: Vec<&str> = journal.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(order, ["7", "17", "4", "9", "14", "19"]);
}

#[test]
fn shards_are_joined_and_strangers_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| -> PathBuf { folder.path().join(name) };
    run_in(&at("whole"), &Numbers::new(1), 1, "1/1").unwrap();
    let shards: Vec<PathBuf> = (1..=3).map(|i| at(&format!("shard{i}"))).collect();
    for (i, shard) in shards.iter().enumerate() {
        run_in(shard, &Numbers::new(1), 1, &format!("{}/3", i + 1)).unwrap();
    }
    assert_eq!(merge::<Row>(&shards, &at("merged")).unwrap(), 23);
    assert_eq!(rows(&at("merged")), rows(&at("whole")));
    let error = merge::<Row>(&shards[..2], &at("part")).unwrap_err().to_string();
    assert!(error.contains("7 of 23: 2, 5, 8"), "{error}");
    // Also the last row, behind which none shows that it is missing.
    let error = merge::<Row>(&[at("shard1"), at("shard3")], &at("part")).unwrap_err().to_string();
    assert!(error.contains("8 of 23: 1, 4, 7, 10, 13, 16, 19, 22;"), "{error}");
    run_in(&at("one of many"), &Numbers::new(1), 1, "1/1000").unwrap();
    let error = merge::<Row>(&[at("one of many")], &at("part")).unwrap_err().to_string();
    assert!(error.contains("22 of 23: 1, 2, 3,") && error.contains(", 20, ...; is there another shard?"), "{error}");
    assert!(!at("part").exists());
    fs::rename(shards[1].join("rows.csv"), shards[1].join("journal.csv")).unwrap();
    assert!(matches!(merge::<Row>(&shards, &at("part")), Err(SweepError::Unfinished(folder)) if folder == shards[1]));
    fs::rename(shards[1].join("journal.csv"), shards[1].join("rows.csv")).unwrap();
    assert!(matches!(merge::<Row>(&[at("nowhere")], &at("part")), Err(SweepError::None(_))));
    run_in(&at("other"), &Numbers::new(2), 1, "3/3").unwrap();
    let error = merge::<Row>(&[shards[0].clone(), at("other")], &at("part")).unwrap_err();
    assert!(error.to_string().contains("its seed is 2, this one's is 1"), "{error}");
    assert_eq!(error.exit_code(), 2);
    let text = rows(&shards[1]).replacen("0.", "1.", 1);
    fs::write(shards[1].join("rows.csv"), text).unwrap();
    let error = merge::<Row>(&[at("whole"), shards[1].clone()], &at("part")).unwrap_err().to_string();
    assert!(error.contains("differs from that of"), "{error}");
    for wrong in ["0/3", "4/3", "1", "a/b", "1/0"] {
        assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
    }
}

#[test]
fn rows_of_processors_that_round_differently_are_not_mixed() {
    let folder = tempfile::tempdir().unwrap();
    run_in(folder.path(), &Numbers::new(1), 1, "1/2").unwrap();
    let other = Identity { decompositions: "avx512".to_string(), ..identity(1) };
    let error = Journal::<Row>::open(folder.path(), &other).err().unwrap();
    assert!(
        error.to_string().contains("its instruction set of decompositions is avx2, this one's is avx512"),
        "{error}"
    );
    // A version that did not keep it.
    Journal::<Row>::open(folder.path(), &Identity { decompositions: String::new(), ..identity(1) }).unwrap();
}

#[test]
fn the_number_of_rows_is_that_of_the_shard_that_kept_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| -> PathBuf { folder.path().join(name) };
    for (name, shard) in [("1", "1/3"), ("2", "2/3"), ("3", "3/3")] {
        run_in(&at(name), &Numbers::new(1), 1, shard).unwrap();
    }
    // As a version that did not keep it.
    let json = fs::read_to_string(at("1/sweep.json")).unwrap();
    fs::write(at("1/sweep.json"), json.replace("  \"rows\": 23,\n", "")).unwrap();
    assert_eq!(crate::sweep::identity(&at("1")).unwrap().rows, 0);
    let error = merge::<Row>(&[at("1"), at("2")], &at("part")).unwrap_err().to_string();
    assert!(error.contains("7 of 23"), "{error}");
    merge::<Row>(&[at("1"), at("2"), at("3")], &at("all")).unwrap();
    assert_eq!(crate::sweep::identity(&at("all")).unwrap().rows, 23);
    fs::write(at("2/sweep.json"), fs::read_to_string(at("2/sweep.json")).unwrap().replace("23,", "24,")).unwrap();
    let error = merge::<Row>(&[at("3"), at("2")], &at("other")).unwrap_err().to_string();
    assert!(error.contains("its number of rows is 24, this one's is 23"), "{error}");
}

#[test]
fn a_shard_that_has_nothing_to_do_leaves_the_rows_of_another_alone() {
    let folder = tempfile::tempdir().unwrap();
    run_in(folder.path(), &Numbers::new(5), 1, "1/2").unwrap();
    let idle = Journal::<Row>::open(folder.path(), &identity(5)).unwrap();
    run_in(folder.path(), &Numbers::new(5), 1, "2/2").unwrap();
    let whole = rows(folder.path());
    assert_eq!(idle.finish().unwrap().len(), 12);
    assert_eq!(rows(folder.path()), whole);
}

#[test]
fn a_shard_that_is_stopped_in_a_folder_with_rows_loses_none() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, split) = (folder.path().join("whole"), folder.path().join("split"));
    run_in(&whole, &Numbers::new(5), 1, "1/1").unwrap();
    run_in(&split, &Numbers::new(5), 1, "1/2").unwrap();
    let first = rows(&split);
    let stopped = Numbers { most: 3, ..Numbers::new(5) };
    assert!(matches!(run_in(&split, &stopped, 1, "2/2"), Err(SweepError::Interrupted { .. })));
    assert_eq!(rows(&split), first, "what was finished is as it was");
    assert!(fs::read_to_string(split.join("journal.csv")).unwrap().lines().count() > 3, "names and three rows");
    let rest = Numbers::new(5);
    run_in(&split, &rest, 1, "2/2").unwrap();
    assert_eq!((rows(&split), split.join("journal.csv").exists()), (rows(&whole), false));
    let second: Shard = "2/2".parse().unwrap();
    let of_second = (0..23).filter(|index| second.has(*index)).count();
    assert_eq!(rest.asked.load(Ordering::SeqCst), of_second - 3, "the three rows were kept");
}

#[test]
fn shards_that_were_begun_together_in_a_folder_with_rows_keep_each_others_rows() {
    let folder = tempfile::tempdir().unwrap();
    run_in(folder.path(), &Numbers::new(5), 1, "1/3").unwrap();
    let mut late = Journal::<Row>::open(folder.path(), &identity(5)).unwrap();
    run_in(folder.path(), &Numbers::new(5), 1, "2/3").unwrap();
    let sweep = Numbers::new(5);
    let third: Shard = "3/3".parse().unwrap();
    for index in (0..23).filter(|index| third.has(*index)) {
        late.append(index, sweep.row(index)).unwrap();
    }
    assert_eq!(late.finish().unwrap().len(), 23);
}

/// The lines without their last column: as a version wrote them that did not have it.
fn without_last_column(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", line.rsplit_once(',').unwrap().0)).collect()
}

#[test]
fn rows_are_not_added_to_those_of_a_version_with_other_columns() {
    let folder = tempfile::tempdir().unwrap();
    let (begun, half) = (folder.path().join("begun"), folder.path().join("half"));
    run_in(&begun, &Numbers { most: 4, ..Numbers::new(1) }, 1, "1/1").unwrap_err();
    run_in(&half, &Numbers::new(1), 1, "1/2").unwrap();
    for (folder, file, shard) in [(&begun, "journal.csv", "1/1"), (&half, "rows.csv", "2/2")] {
        let older = without_last_column(&fs::read_to_string(folder.join(file)).unwrap());
        fs::write(folder.join(file), &older).unwrap();
        let error = run_in(folder, &Numbers::new(1), 1, shard).unwrap_err();
        assert!(error.to_string().contains("other columns than this version writes (error is missing)"), "{error}");
        assert_eq!((fs::read_to_string(folder.join(file)).unwrap(), error.exit_code()), (older, 2));
    }
    // Nothing has to be added to what is finished.
    assert_eq!(run_in(&half, &Numbers::new(1), 1, "1/2").unwrap().len(), 12);
}

#[test]
fn a_value_that_cannot_be_is_named_with_its_column() {
    let folder = tempfile::tempdir().unwrap();
    run_in(folder.path(), &Numbers::new(1), 1, "1/1").unwrap();
    let spoil = |line: &str| {
        fs::write(folder.path().join("rows.csv"), format!("index,name,value,error\n{line}\n")).unwrap();
        crate::sweep::rows::<Row>(folder.path()).unwrap_err().to_string()
    };
    let error = spoil("3,a,many,0.5");
    assert!(error.contains("row 3: value is \"many\": invalid float literal"), "{error}");
    let error = spoil("3,a");
    assert!(error.contains("take the line out, and --resume computes its row again"), "{error}");
}

#[test]
fn names_of_columns_without_a_row_are_no_reason_to_stop() {
    let folder = tempfile::tempdir().unwrap();
    let (cut, whole) = (folder.path().join("cut"), folder.path().join("whole"));
    run_in(&whole, &Numbers::new(1), 1, "1/1").unwrap();
    run_in(&cut, &Numbers { most: 1, ..Numbers::new(1) }, 1, "1/1").unwrap_err();
    fs::write(cut.join("journal.csv"), "index,something\n7,a").unwrap();
    run_in(&cut, &Numbers::new(1), 1, "1/2").unwrap();
    // Beside rows that are finished, too.
    fs::write(cut.join("journal.csv"), "index,something\n").unwrap();
    run_in(&cut, &Numbers { most: 2, ..Numbers::new(1) }, 1, "2/2").unwrap_err();
    assert!(fs::read_to_string(cut.join("journal.csv")).unwrap().starts_with("index,name,value,error\n"));
    run_in(&cut, &Numbers::new(1), 1, "2/2").unwrap();
    assert_eq!(rows(&cut), rows(&whole));
}

#[test]
fn a_folder_of_another_sweep_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    run_in(folder.path(), &Numbers::new(1), 1, "1/1").unwrap();
    let before = rows(folder.path());
    let error = run_in(folder.path(), &Numbers::new(2), 1, "1/1").unwrap_err();
    assert!(error.to_string().contains("holds another sweep: its seed is 1, this one's is 2"), "{error}");
    assert_eq!(rows(folder.path()), before);
}

#[test]
fn rows_of_nobody_knows_which_sweep_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let at = |file: &str| folder.path().join(file);
    run_in(folder.path(), &Numbers::new(1), 1, "1/1").unwrap();
    fs::write(at("sweep.json"), "{").unwrap();
    let error = run_in(folder.path(), &Numbers::new(1), 1, "1/1").unwrap_err().to_string();
    assert!(error.contains("sweep.json: it is damaged (EOF") && error.ends_with("for example"), "{error}");
    fs::remove_file(at("sweep.json")).unwrap();
    let before = rows(folder.path());
    assert!(matches!(run_in(folder.path(), &Numbers::new(2), 1, "1/1"), Err(SweepError::Stray(_))));
    fs::rename(at("rows.csv"), at("journal.csv")).unwrap();
    assert!(matches!(run_in(folder.path(), &Numbers::new(2), 1, "1/1"), Err(SweepError::Stray(_))));
    assert_eq!(fs::read_to_string(at("journal.csv")).unwrap(), before);
}

#[test]
fn a_sweep_goes_on_with_another_commit_and_names_all_that_computed_rows() {
    let folder = tempfile::tempdir().unwrap();
    run_in(folder.path(), &Numbers::new(1), 1, "1/2").unwrap();
    let (sweep, later) = (Numbers::new(1), Identity { commit: "ba9876543210+".to_string(), ..identity(1) });
    let settings = Settings { jobs: 1, shard: "2/2".parse().unwrap(), interrupt: &sweep.interrupt, progress: &|_| () };
    assert_eq!(run(&sweep, &later, folder.path(), &settings).unwrap().len(), 23);
    let commit = |folder: &Path| crate::sweep::identity(folder).unwrap().commit;
    assert_eq!(commit(folder.path()), "0123456789ab, ba9876543210+");
    // Who only looks at what is there adds none.
    let third = Identity { commit: "c".to_string(), ..identity(1) };
    run(&sweep, &third, folder.path(), &settings).unwrap();
    assert_eq!(commit(folder.path()), "0123456789ab, ba9876543210+");

    let at = |name: &str| folder.path().join(name);
    run_in(&at("one"), &Numbers::new(1), 1, "1/2").unwrap();
    run(&sweep, &later, &at("two"), &settings).unwrap();
    for (out, shards) in [("a", ["one", "two"]), ("b", ["two", "one"])] {
        merge::<Row>(&shards.map(at), &at(out)).unwrap();
        assert_eq!(commit(&at(out)), "0123456789ab, ba9876543210+");
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "no folder").unwrap();
    let error = run_in(&file.join("in"), &Numbers::new(1), 1, "1/1").unwrap_err();
    assert!(error.to_string().contains("file/in"), "{error}");
}

/// Four pieces of three rows.
struct Trajectories;

impl Pieces for Trajectories {
    type Row = Row;

    fn plan(&self) -> String {
        "4 of 3".to_string()
    }

    fn pieces(&self) -> usize {
        4
    }

    fn rows_each(&self) -> usize {
        3
    }

    fn piece_cost(&self, _: usize) -> f64 {
        1.0
    }

    fn rows(&self, piece: usize) -> Vec<Row> {
        (0..3).map(|at| Row { name: format!("{piece}.{at}"), value: at as f64, error: None }).collect()
    }

    fn failed_rows(&self, _: usize, reason: String) -> Vec<Row> {
        vec![failed(reason); 3]
    }
}

/// Numbers in groups of six, of which one panics.
struct Faulty(Numbers);

impl Sweep for Faulty {
    type Row = Row;

    fn plan(&self) -> String {
        Sweep::plan(&self.0)
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn cost(&self, index: usize) -> f64 {
        self.0.cost(index)
    }

    fn group(&self, index: usize) -> usize {
        index / 6
    }

    fn row(&self, index: usize) -> Row {
        assert_ne!(index, 4, "no fours");
        self.0.row(index)
    }

    fn failed(&self, index: usize, reason: String) -> Row {
        self.0.failed(index, reason)
    }
}

#[test]
fn a_piece_that_panics_is_a_row_that_says_so_and_the_others_are_done() {
    let folder = tempfile::tempdir().unwrap();
    let sound = run_in(&folder.path().join("sound"), &Numbers::new(1), 1, "1/1").unwrap();
    for jobs in [1, 3] {
        let interrupt = Interrupt::new();
        let settings = Settings { jobs, shard: Shard::WHOLE, interrupt: &interrupt, progress: &|_| () };
        let at = folder.path().join(jobs.to_string());
        let rows = run(&Faulty(Numbers::new(1)), &identity(1), &at, &settings).unwrap();
        assert_eq!(mistakes(&at).unwrap(), 1);
        assert!(rows[4].name.starts_with("a mistake of this program: ") && rows[4].name.contains("no fours"));
        assert!(!rows[4].name.contains('\n'), "{:?}", rows[4].name);
        assert_eq!((&rows[..4], &rows[5..]), (&sound[..4], &sound[5..]));
    }
    assert_eq!(mistakes(&folder.path().join("sound")).unwrap(), 0);
}

#[test]
fn a_shard_has_all_of_a_group_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let interrupt = Interrupt::new();
    let settings = Settings { jobs: 1, shard: "2/3".parse().unwrap(), interrupt: &interrupt, progress: &|_| () };
    run(&Faulty(Numbers::new(1)), &identity(1), folder.path(), &settings).unwrap();
    let text = rows(folder.path());
    let indices: Vec<&str> = text.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(indices, ["6", "7", "8", "9", "10", "11"]);
}

#[test]
fn a_piece_may_have_several_rows_and_one_that_was_cut_is_done_again() {
    let folder = tempfile::tempdir().unwrap();
    let interrupt = Interrupt::new();
    let run_in = |name: &str, shard: &str| {
        let settings = Settings { jobs: 2, shard: shard.parse().unwrap(), interrupt: &interrupt, progress: &|_| () };
        run(&Trajectories, &Identity { rows: 12, ..identity(1) }, &folder.path().join(name), &settings).unwrap()
    };
    let names: Vec<String> = run_in("whole", "1/1").into_iter().map(|row| row.name).collect();
    assert_eq!((names.len(), names[4].as_str(), names[11].as_str()), (12, "1.1", "3.2"));
    let whole = rows(&folder.path().join("whole"));

    // A journal that ends within the second piece.
    let cut = folder.path().join("cut");
    fs::create_dir(&cut).unwrap();
    fs::copy(folder.path().join("whole/sweep.json"), cut.join("sweep.json")).unwrap();
    let lines: Vec<&str> = whole.lines().take(5).collect();
    fs::write(cut.join("journal.csv"), format!("{}\n", lines.join("\n"))).unwrap();
    run_in("cut", "1/1");
    assert_eq!(rows(&cut), whole);

    let shards: Vec<PathBuf> = ["1/2", "2/2"].map(|shard| folder.path().join(shard.replace('/', "-"))).into();
    assert_eq!((run_in("1-2", "1/2").len(), run_in("2-2", "2/2").len()), (6, 6));
    assert_eq!(merge::<Row>(&shards, &folder.path().join("merged")).unwrap(), 12);
    assert_eq!(rows(&folder.path().join("merged")), whole);
}
