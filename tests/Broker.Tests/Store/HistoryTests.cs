using Trunkline.Broker.Tests.Support;
using Trunkline.Sessions;

namespace Trunkline.Broker.Tests.Store;

/// <summary>
/// Random histories of appending, raising terms, closing, being killed with messages not yet written, and opening again, against
/// a list: what was committed is there, in order and under its position; no position and no term is given twice.
/// </summary>
public sealed class HistoryTests
{
    [Theory]
    [InlineData(21, LogCommit.Os)]
    [InlineData(22, LogCommit.Os)]
    [InlineData(23, LogCommit.Always)]
    [InlineData(24, LogCommit.Always)]
    public void What_was_committed_survives_whatever_happens(int seed, LogCommit commit)
    {
        var history = new History(seed, StoreHarness.Small with { Commit = commit, LogMaximumBytes = 128 * 1024 });
        for (int step = 0; step < 1_500; step++)
        {
            history.Step();
        }

        history.Finish();
    }

    private sealed class History
    {
        private readonly int _seed;
        private readonly Random _random;
        private readonly BrokerOptions _options;
        private readonly List<(LogPosition Position, string Payload, ulong Number)> _model = [];
        private TempFolder _folder = new();
        private StoreHarness _store;
        private LogProducer _producer;
        private ulong _number;
        private int _committed;
        private int _kills;
        private long _dropped;

        public History(int seed, BrokerOptions options)
        {
            _seed = seed;
            _random = new Random(seed);
            _options = options;
            _store = new StoreHarness(_folder.Path, options);
            _producer = _store.Log.Acquire("n", 1);
        }

        public void Step()
        {
            switch (_random.Next(60))
            {
                case 0:
                    _dropped += _store.Log.Dropped;
                    _store.Close();
                    _committed = _model.Count;
                    Open();
                    break;
                case 1:
                    Kill();
                    break;
                case 2:
                    _store.Log.RaiseTermAbove(_store.Log.Term + (ulong)_random.Next(3));
                    break;
                case < 10:
                    Commit();
                    break;
                default:
                    string payload = $"{++_number} {new string('x', _random.Next(700))}";
                    _model.Add((_store.Append(payload, _producer, _number), payload, _number));
                    break;
            }
        }

        public void Finish()
        {
            Commit();
            Check();
            _store.Close();
            _folder.Dispose();
            Assert.True(_kills > 5 && _dropped + _store.Log.Dropped > 0, $"seed {_seed} tried too little");
        }

        private void Commit()
        {
            _store.Commit();
            _committed = _model.Count;
        }

        /// <summary>What the disk has now is all that is left; what was not committed may or may not be among it.</summary>
        private void Kill()
        {
            _kills++;
            _dropped += _store.Log.Dropped;
            TempFolder copy = TempFolder.CopyOf(_folder.Path);
            _store.Close();
            _folder.Dispose();
            _folder = copy;
            Open();
            ulong last = _producer.LastNumber;
            int kept = _model.Count(message => message.Number <= last);
            Assert.True(kept >= _committed, $"seed {_seed}: {_committed} were committed, {kept} came back");
            _model.RemoveRange(kept, _model.Count - kept);
            _number = last;
            Check();
        }

        private void Open()
        {
            ulong before = _store.Log.Term;
            _store = new StoreHarness(_folder.Path, _options);
            Assert.True(_store.Log.Term > before || _kills > 0, $"seed {_seed}: a term was used again");
            Assert.True(_model.Count == 0 || _store.Log.Tail > _model[_committed == 0 ? 0 : _committed - 1].Position, $"seed {_seed}: a position went back");
            _producer = _store.Log.Acquire("n", 1);
        }

        private void Check()
        {
            List<(LogPosition Position, string Payload)> read = _store.Read();
            Assert.True(
                read.SequenceEqual(_model.Skip(_model.Count - read.Count).Select(message => (message.Position, message.Payload))),
                $"seed {_seed}: other messages came back");
            Assert.True(read.Count == _store.Log.Messages, $"seed {_seed}: {read.Count} read, {_store.Log.Messages} counted");
        }
    }
}
