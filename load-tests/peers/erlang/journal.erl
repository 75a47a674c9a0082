%% One process before disk_log: all joins that came while it synced are logged and synced together,
%% and each is told of afterwards. On start, it gives back everything logged.
-module(journal).
-export([start_link/2, append/2]).
-export([init/3]).

-define(JOINS_AT_ONCE_MAX, 4096).

%% Restore(Join) is called for each join found.
start_link(File, Restore) -> proc_lib:start_link(?MODULE, init, [self(), File, Restore]).

%% The calling process gets {durable, Wave} once Join = {Applicant, Wave, Entry, JoinedAt} is on the disk.
append(Wave, Join) ->
    ?MODULE ! {append, self(), Wave, Join},
    ok.

init(Parent, File, Restore) ->
    register(?MODULE, self()),
    case disk_log:open([{name, ?MODULE}, {file, File}, {type, halt}, {format, internal}]) of
        {ok, _} -> ok;
        {repaired, _, _, _} -> ok
    end,
    replay(disk_log:chunk(?MODULE, start), Restore),
    process_flag(message_queue_data, off_heap),
    proc_lib:init_ack(Parent, {ok, self()}),
    loop().

replay(eof, _) -> ok;
replay({error, Reason}, _) -> exit({journal_unreadable, Reason});
replay({Next, Joins}, Restore) ->
    lists:foreach(Restore, Joins),
    replay(disk_log:chunk(?MODULE, Next), Restore);
%% Bytes cut off in the middle of a write were never answered.
replay({Next, Joins, _BadBytes}, Restore) -> replay({Next, Joins}, Restore).

loop() ->
    receive
        {append, Pid, Wave, Join} ->
            {Joins, Waiting} = gather([Join], [{Pid, Wave}], 1),
            ok = disk_log:log_terms(?MODULE, lists:reverse(Joins)),
            ok = disk_log:sync(?MODULE),
            [To ! {durable, Which} || {To, Which} <- Waiting],
            loop()
    end.

gather(Joins, Waiting, ?JOINS_AT_ONCE_MAX) -> {Joins, Waiting};
gather(Joins, Waiting, Count) ->
    receive
        {append, Pid, Wave, Join} -> gather([Join | Joins], [{Pid, Wave} | Waiting], Count + 1)
    after 0 -> {Joins, Waiting}
    end.
