%% erl ... -s join_server main DIR KEY PORT: POST /v1/waves/{n}/join over HTTP/1.1.
%% A process a connection; the runtime's own parser (http_bin) reads the head of a request.
-module(join_server).
-export([main/1]).

-define(HEAD_BYTES_MAX, 8192).
-define(BODY_BYTES_MAX, 16384).
-define(PACKETS_UNASKED, 100).

main(Arguments) ->
    spawn(fun() ->
        {_, Runner} = spawn_monitor(fun() -> run(Arguments) end),
        receive
            {'DOWN', Runner, process, _, Reason} ->
                io:format(standard_error, "join_server: ~p~n", [Reason]),
                halt(1)
        end
    end).

run([Directory, KeyText, PortText]) ->
    Key = binary:decode_hex(atom_to_binary(KeyText)),
    Port = list_to_integer(atom_to_list(PortText)),
    applicant:create_directory(),
    {ok, _} = journal:start_link(filename:join(atom_to_list(Directory), "joins.log"), fun applicant:restore/1),
    {ok, Listener} = gen_tcp:listen(Port, [binary, {packet, raw}, {active, false}, {ip, {127, 0, 0, 1}},
        {backlog, 1024}, {nodelay, true}, {reuseaddr, true}]),
    io:format("ready http://127.0.0.1:~b~n", [Port]),
    accept(Listener, Key).

accept(Listener, Key) ->
    {ok, Socket} = gen_tcp:accept(Listener),
    Pid = spawn(fun() -> receive begin_reading -> begin_reading(Socket, Key) end end),
    case gen_tcp:controlling_process(Socket, Pid) of
        ok -> Pid ! begin_reading;
        {error, _} -> exit(Pid, kill)
    end,
    accept(Listener, Key).

begin_reading(Socket, Key) ->
    inet:setopts(Socket, [{active, ?PACKETS_UNASKED}]),
    serve(Socket, Key, <<>>).

serve(Socket, Key, Buffer) ->
    case read_request(Socket, Buffer) of
        {ok, Request, Rest} ->
            case gen_tcp:send(Socket, answer(Request, Key)) of
                ok -> serve(Socket, Key, Rest);
                {error, _} -> gen_tcp:close(Socket)
            end;
        {refused, Status} ->
            gen_tcp:send(Socket, problem(Status, <<"refused">>)),
            gen_tcp:close(Socket);
        closed -> gen_tcp:close(Socket)
    end.

%% ---- reading: from the bytes there are, or from the beginning again once there are more

read_request(Socket, Buffer) ->
    case erlang:decode_packet(http_bin, Buffer, []) of
        {ok, {http_request, Method, Target, _}, Rest} -> read_headers(Socket, Buffer, Rest, {Method, Target}, none, 0);
        {ok, _, _} -> {refused, 400};
        {error, _} -> {refused, 400};
        {more, _} -> read_more(Socket, Buffer)
    end.

read_headers(Socket, Buffer, Unread, Line, Bearer, BodyBytes) ->
    case erlang:decode_packet(httph_bin, Unread, []) of
        {ok, http_eoh, Rest} -> read_body(Socket, Buffer, Rest, Line, Bearer, BodyBytes);
        {ok, {http_header, _, 'Authorization', _, Value}, Rest} ->
            read_headers(Socket, Buffer, Rest, Line, Value, BodyBytes);
        {ok, {http_header, _, 'Content-Length', _, Value}, Rest} ->
            case string:to_integer(Value) of
                {Bytes, <<>>} when is_integer(Bytes), Bytes >= 0, Bytes =< ?BODY_BYTES_MAX ->
                    read_headers(Socket, Buffer, Rest, Line, Bearer, Bytes);
                _ -> {refused, 413}
            end;
        {ok, {http_header, _, 'Transfer-Encoding', _, _}, _} -> {refused, 411};
        {ok, {http_header, _, _, _, _}, Rest} -> read_headers(Socket, Buffer, Rest, Line, Bearer, BodyBytes);
        {ok, _, _} -> {refused, 400};
        {error, _} -> {refused, 400};
        {more, _} -> read_more(Socket, Buffer)
    end.

read_body(Socket, Buffer, Rest, {Method, Target}, Bearer, BodyBytes) ->
    case Rest of
        <<_:BodyBytes/binary, Next/binary>> -> {ok, {Method, Target, Bearer}, Next};
        _ -> read_more(Socket, Buffer)
    end.

read_more(_, Buffer) when byte_size(Buffer) > ?HEAD_BYTES_MAX + ?BODY_BYTES_MAX -> {refused, 431};
read_more(Socket, Buffer) ->
    receive
        {tcp, Socket, Bytes} -> read_request(Socket, <<Buffer/binary, Bytes/binary>>);
        {tcp_passive, Socket} ->
            inet:setopts(Socket, [{active, ?PACKETS_UNASKED}]),
            read_more(Socket, Buffer);
        {tcp_closed, Socket} -> closed;
        {tcp_error, Socket, _} -> closed
    end.

%% ---- answering

answer({'POST', {abs_path, <<"/v1/waves/", Rest/binary>>}, Bearer}, Key) ->
    case string:to_integer(Rest) of
        {Wave, <<"/join">>} when is_integer(Wave), Wave >= 1, Wave =< 9999 -> join(Wave, bearer:applicant_of(Bearer, Key));
        _ -> problem(404, <<"not_found">>)
    end;
answer(_, _) -> problem(404, <<"not_found">>).

join(_, none) -> problem(401, <<"token_invalid">>);
join(Wave, Id) ->
    case applicant:join(Id, Wave) of
        {created, Entry, JoinedAt} -> response(201, receipt(Wave, Entry, JoinedAt));
        {existed, Entry, JoinedAt} -> response(200, receipt(Wave, Entry, JoinedAt));
        unavailable -> problem(503, <<"unavailable">>)
    end.

receipt(Wave, Entry, JoinedAt) ->
    iolist_to_binary([<<"{\"wave\":">>, integer_to_binary(Wave), <<",\"entry_id\":\"">>, binary:encode_hex(Entry),
        <<"\",\"region\":\"3174\",\"joined_at\":\"">>, time_text(JoinedAt), <<"\",\"state\":\"joined\"}">>]).

%% Made once a second and connection: the calendar is slow.
time_text(Seconds) ->
    case get(time_text) of
        {Seconds, Text} -> Text;
        _ ->
            Text = list_to_binary(calendar:system_time_to_rfc3339(Seconds, [{offset, "Z"}])),
            put(time_text, {Seconds, Text}),
            Text
    end.

problem(Status, Code) -> response(Status, <<"{\"code\":\"", Code/binary, "\"}">>).

response(Status, Body) ->
    [<<"HTTP/1.1 ">>, status_text(Status), <<"\r\nContent-Type: application/json\r\nContent-Length: ">>,
     integer_to_binary(byte_size(Body)), <<"\r\n\r\n">>, Body].

status_text(200) -> <<"200 OK">>;
status_text(201) -> <<"201 Created">>;
status_text(400) -> <<"400 Bad Request">>;
status_text(401) -> <<"401 Unauthorized">>;
status_text(404) -> <<"404 Not Found">>;
status_text(411) -> <<"411 Length Required">>;
status_text(413) -> <<"413 Content Too Large">>;
status_text(431) -> <<"431 Request Header Fields Too Large">>;
status_text(503) -> <<"503 Service Unavailable">>.
