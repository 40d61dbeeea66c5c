// A tier is several processes and the machine has two cores: two test classes at a time, no more.
[assembly: CollectionBehavior(MaxParallelThreads = 2)]
