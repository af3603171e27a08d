//! Figures of several runs, and how they compare with the goals.

/// One thing that is measured.
#[derive(Debug)]
pub struct Row {
    what: String,
    unit: &'static str,
    /// What it may be at most, when there is a goal.
    goal: Option<f64>,
    values: Vec<f64>,
}

/// What was measured, in the order in which it first was.
#[derive(Debug, Default)]
pub struct Table(Vec<Row>);

impl Table {
    /// One value of one run.
    pub fn note(&mut self, what: &str, unit: &'static str, goal: Option<f64>, value: f64) {
        println!("  {what}: {value:.1} {unit}");
        match self.0.iter_mut().find(|row| row.what == what) {
            Some(row) => row.values.push(value),
            None => self.0.push(Row { what: what.to_owned(), unit, goal, values: vec![value] }),
        }
    }

    /// What is above its goal.
    pub fn missed(&self) -> Vec<&str> {
        let missed = |row: &&Row| row.goal.is_some_and(|goal| quantile(&row.values, 0.5) > goal);
        self.0.iter().filter(missed).map(|row| row.what.as_str()).collect()
    }

    /// As Markdown, for `docs/PERFORMANCE.md`.
    pub fn print(&self) {
        println!("\n| measured | min | median | max | goal | of the goal |\n|---|---|---|---|---|---|");
        for row in &self.0 {
            let [min, median, max] = [0.0, 0.5, 1.0].map(|share| quantile(&row.values, share));
            let goal = row.goal.map(|goal| format!("≤ {goal:.0}")).unwrap_or_default();
            let ratio = row.goal.map(|goal| format!("{:.2}", median / goal)).unwrap_or_default();
            println!("| {}, {} | {min:.1} | {median:.1} | {max:.1} | {goal} | {ratio} |", row.what, row.unit);
        }
    }
}

/// The smallest value that so large a share of all does not exceed.
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(place.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}
