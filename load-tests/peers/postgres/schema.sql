create table joins (
  wave int,
  applicant bigint,
  entry_id uuid not null,
  joined_at timestamptz not null,
  primary key (wave, applicant)
);
