// Meters are the process's: a scrape in one test would show what another test's node counts.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
