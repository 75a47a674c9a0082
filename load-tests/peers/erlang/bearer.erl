%% Access tokens as gelombang's: JWT (RFC 7519) signed with HMAC-SHA-256.
-module(bearer).
-export([applicant_of/2]).

-define(HEADER, "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6IjEifQ").
-define(TOKEN_BYTES_MAX, 1024).
-define(SIGNATURE_CHARS, 43).

%% The applicant (16 hex digits) whose token stands in an Authorization header, or none.
applicant_of(<<"Bearer ", Token/binary>>, Key)
  when byte_size(Token) > ?SIGNATURE_CHARS + 1, byte_size(Token) =< ?TOKEN_BYTES_MAX ->
    SignedBytes = byte_size(Token) - ?SIGNATURE_CHARS - 1,
    case Token of
        <<Signed:SignedBytes/binary, ".", Signature/binary>> ->
            Expected = without_padding(base64:encode(crypto:mac(hmac, sha256, Key, Signed))),
            case crypto:hash_equals(Expected, ordinary(Signature)) of
                true -> applicant_in(Signed);
                false -> none
            end;
        _ -> none
    end;
applicant_of(_, _) -> none.

%% What is signed is what we have made: one form, which is taken apart from left to right.
applicant_in(<<?HEADER, ".", Claims/binary>>) ->
    case base64:decode(padded(ordinary(Claims))) of
        <<"{\"sub\":\"", Applicant:16/binary, "\",", Rest/binary>> ->
            [_, Expiry] = binary:split(Rest, <<"\"exp\":">>),
            {ExpiresAt, <<"}">>} = string:to_integer(Expiry),
            case ExpiresAt > erlang:system_time(second) of
                true -> Applicant;
                false -> none
            end;
        _ -> none
    end;
applicant_in(_) -> none.

without_padding(<<Text:?SIGNATURE_CHARS/binary, "=">>) -> Text.

padded(Text) ->
    case byte_size(Text) rem 4 of
        0 -> Text;
        2 -> <<Text/binary, "==">>;
        3 -> <<Text/binary, "=">>
    end.

%% base64url in base64's alphabet: base64 knows no other in this release.
ordinary(Text) -> << <<(ordinary_character(C))>> || <<C>> <= Text >>.

ordinary_character($-) -> $+;
ordinary_character($_) -> $/;
ordinary_character(C) -> C.
