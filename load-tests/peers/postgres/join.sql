\set applicant random(1, 1000000000000)
insert into joins (wave, applicant, entry_id, joined_at) values (:wave, :applicant, gen_random_uuid(), now()) on conflict do nothing returning wave;
