-- Ten days of orders in three shapes of time column, for the sources' tests: 24 a day on the web, 12 in the app; none in the app on the 5th.
CREATE TABLE "ORDERS" (at timestamptz, local timestamp, day date, seconds bigint, millis bigint, "Channel" text, amount numeric, note text);
INSERT INTO "ORDERS"
SELECT t, t AT TIME ZONE 'Europe/Berlin', (t AT TIME ZONE 'Europe/Berlin')::date, extract(epoch FROM t)::bigint,
  (extract(epoch FROM t) * 1000)::bigint, c, 10, 'Grüße, "quoted"'
FROM generate_series('2026-03-24 00:30:00+01'::timestamptz, '2026-04-02 23:30:00+02', '1 hour') t,
  (VALUES ('web', 1), ('app', 2)) AS channels(c, every)
WHERE extract(hour FROM t AT TIME ZONE 'UTC')::int % every = 0
  AND NOT (c = 'app' AND (t AT TIME ZONE 'Europe/Berlin')::date = '2026-03-28');
CREATE TABLE empty_table (at timestamptz, amount numeric);
CREATE TABLE schema_less (ts text, v double precision);
INSERT INTO schema_less VALUES ('2026-03-24 10:00:00', 1), ('2026-03-24 11:00:00', NULL), ('2026-03-25 10:00:00', 'NaN');
CREATE SCHEMA elementary;
-- As Elementary's dbt package makes it: its columns, in its order, of its types in PostgreSQL.
CREATE TABLE elementary.elementary_test_results (
  id text, data_issue_id varchar(4096), test_execution_id text, test_unique_id text, model_unique_id text, invocation_id varchar(4096),
  detected_at timestamp, created_at timestamp, database_name varchar(4096), schema_name varchar(4096), table_name varchar(4096),
  column_name varchar(4096), test_type varchar(4096), test_sub_type varchar(4096), test_results_description text, owners varchar(4096),
  tags varchar(4096), test_results_query text, other varchar(4096), test_name text, test_params text, severity varchar(4096), status varchar(4096),
  failures bigint, test_short_name varchar(4096), test_alias varchar(4096), result_rows text, failed_row_count bigint);
INSERT INTO elementary.elementary_test_results (id, test_execution_id, test_unique_id, detected_at, created_at, status, severity, test_name,
  test_short_name, test_type, test_sub_type, schema_name, table_name, column_name, owners, tags, failures, test_results_description) VALUES
  ('r1', 'e1', 'test.shop.volume', '2026-03-01 06:00:00', '2026-03-01 06:01:00', 'fail', 'ERROR', 'volume_anomalies', 'volume', 'anomaly_detection',
   'row_count', 'shop', 'orders', NULL, '["ana@example.org"]', '[]', 3, 'the last value is 3'),
  ('r2', 'e2', 'test.shop.other', '2026-03-01 06:00:00', '2026-03-01 06:01:00', 'pass', 'ERROR', 'other', NULL, 'dbt_test', NULL, 'shop', 'orders', 'id',
   '[]', '[]', 0, NULL);
