namespace Trunkline.Hosting;

/// <summary>Opcodes of RFC 6455.</summary>
internal enum WebSocketOpcode
{
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}
