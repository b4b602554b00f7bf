//! What a process and those below it use (proc(5)).

struct Process {
    pid: u32,
    parent: u32,
    /// CPU in milliseconds, that of its ended children included.
    ms: f64,
}

/// CPU in milliseconds of a process, and of all below it, ended ones included
/// (proc_pid_stat(5): utime, stime, cutime, cstime).
pub fn cpu_ms(top: u32) -> (f64, f64) {
    let all = all();
    let own = all.iter().find(|process| process.pid == top).map_or(0.0, |process| process.ms);
    (own, below(&all, top).map(|process| process.ms).sum())
}

/// Memory in KiB that no file stands behind, of a process and all below it (proc_pid_status(5):
/// RssAnon). What processes share counts for none of them.
pub fn memory_kib(top: u32) -> f64 {
    let all = all();
    let pids = below(&all, top).map(|process| process.pid).chain([top]);
    pids.filter_map(anonymous).sum()
}

fn anonymous(pid: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

fn below(all: &[Process], top: u32) -> impl Iterator<Item = &Process> {
    let parent_of = |pid| all.iter().find(|p| p.pid == pid).map_or(0, |p| p.parent);
    all.iter().filter(move |process| {
        let mut pid = process.parent;
        while pid > 1 && pid != top {
            pid = parent_of(pid);
        }
        pid == top
    })
}

fn all() -> Vec<Process> {
    let pids = std::fs::read_dir("/proc").unwrap().flatten();
    pids.filter_map(|entry| read(entry.file_name().to_str()?.parse().ok()?)).collect()
}

fn read(pid: u32) -> Option<Process> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<f64> =
        stat.rsplit_once(") ")?.1.split(' ').map(|field| field.parse().unwrap_or(0.0)).collect();
    // A clock tick is 10 ms on Linux.
    let ms = fields.get(11..15)?.iter().sum::<f64>() * 10.0;
    Some(Process { pid, parent: *fields.get(1)? as u32, ms })
}
