%% A process for each applicant, which knows the waves joined. It starts at the first click and stays.
-module(applicant).
-export([create_directory/0, join/2, restore/1]).
-export([init/2]).

-define(DIRECTORY, applicants).
-define(PATIENCE_MS, 10000).

create_directory() ->
    ets:new(?DIRECTORY, [named_table, public, set, {read_concurrency, true}, {write_concurrency, auto}]).

%% {created | existed, Entry, JoinedAt}, durable in either case; or unavailable.
join(Id, Wave) ->
    Call = make_ref(),
    process_of(Id) ! {join, self(), Call, Wave},
    receive
        {Call, Answer} -> Answer
    after ?PATIENCE_MS -> unavailable
    end.

restore({Id, Wave, Entry, JoinedAt}) ->
    process_of(Id) ! {restore, Wave, Entry, JoinedAt},
    ok.

process_of(Id) ->
    case ets:lookup(?DIRECTORY, Id) of
        [{_, Pid}] -> Pid;
        [] -> new_process_of(Id)
    end.

new_process_of(Id) ->
    Pid = spawn(?MODULE, init, [Id, #{}]),
    case ets:insert_new(?DIRECTORY, {Id, Pid}) of
        true -> Pid;
        false ->
            exit(Pid, kill),
            process_of(Id)
    end.

%% Waves: Wave => {joined, Entry, JoinedAt} | {writing, Entry, JoinedAt, [{From, Call}, ...]}.
init(Id, Waves) -> loop(binary:copy(Id), Waves).

loop(Id, Waves) ->
    receive
        {join, From, Call, Wave} -> loop(Id, clicked(Id, Wave, {From, Call}, Waves));
        {durable, Wave} -> loop(Id, stored(Wave, Waves));
        {restore, Wave, Entry, JoinedAt} -> loop(Id, Waves#{Wave => {joined, Entry, JoinedAt}})
    end.

clicked(Id, Wave, Who, Waves) ->
    case Waves of
        #{Wave := {joined, Entry, JoinedAt}} ->
            answer(Who, {existed, Entry, JoinedAt}),
            Waves;
        #{Wave := {writing, Entry, JoinedAt, Waiting}} ->
            Waves#{Wave => {writing, Entry, JoinedAt, Waiting ++ [Who]}};
        _ ->
            Entry = crypto:strong_rand_bytes(16),
            JoinedAt = erlang:system_time(second),
            journal:append(Wave, {Id, Wave, Entry, JoinedAt}),
            Waves#{Wave => {writing, Entry, JoinedAt, [Who]}}
    end.

stored(Wave, Waves) ->
    #{Wave := {writing, Entry, JoinedAt, [First | Others]}} = Waves,
    answer(First, {created, Entry, JoinedAt}),
    [answer(Who, {existed, Entry, JoinedAt}) || Who <- Others],
    Waves#{Wave => {joined, Entry, JoinedAt}}.

answer({From, Call}, Answer) -> From ! {Call, Answer}.
