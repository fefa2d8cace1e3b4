//! What happened in one schedule: hashed always, kept as readable lines on demand.

/// The lines of one schedule. Equal histories give equal bytes.
#[derive(Debug, Default)]
pub(super) struct Trace {
    bytes: Vec<u8>,
    lines: Option<Vec<String>>,
}

impl Trace {
    /// An empty trace; `kept` where its lines are to be read.
    pub(super) fn new(kept: bool) -> Self {
        Self { bytes: Vec::with_capacity(4096), lines: kept.then(Vec::new) }
    }

    /// Adds what happened `at` milliseconds: `what` with its places `#0`, `#1`, `#2` filled by `numbers`.
    pub(super) fn tell(&mut self, at: u64, what: &'static str, numbers: [u64; 3]) {
        self.bytes.extend_from_slice(&at.to_le_bytes());
        self.bytes.extend_from_slice(what.as_bytes());
        for number in numbers {
            self.bytes.extend_from_slice(&number.to_le_bytes());
        }
        if let Some(lines) = &mut self.lines {
            let mut text = what.to_string();
            for (place, number) in ["#0", "#1", "#2"].into_iter().zip(numbers) {
                text = text.replace(place, &number.to_string());
            }
            lines.push(format!("{:>6}.{:03} s  {text}", at / 1000, at % 1000));
        }
    }

    /// The hash of all that was told, and the lines where they were kept.
    pub(super) fn end(self) -> ([u8; 32], Vec<String>) {
        (*blake3::hash(&self.bytes).as_bytes(), self.lines.unwrap_or_default())
    }
}
