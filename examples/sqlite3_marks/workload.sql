-- What the recorded run does: four phases, each begun by a milestone that the
-- shell sets as any other child of `record` can.
.shell tsprof mark load
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE customer(id INTEGER PRIMARY KEY, name TEXT, city TEXT);
CREATE TABLE sale(id INTEGER PRIMARY KEY, customer INTEGER, item TEXT, price REAL, day INTEGER);
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
INSERT INTO customer SELECT i, 'customer ' || i, 'city ' || (i * 7919 % 500) FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600000)
INSERT INTO sale SELECT i, i * 104729 % 20000 + 1, 'item ' || (i * 15485863 % 1000),
	(i * 32452843 % 10000) / 100.0, i * 49979687 % 365 FROM n;
COMMIT;
.shell tsprof mark index
CREATE INDEX sale_by_customer ON sale(customer);
CREATE INDEX sale_by_item ON sale(item, day);
ANALYZE;
.shell tsprof mark query
SELECT city, count(*), round(sum(price)) AS total FROM sale JOIN customer ON customer.id = customer
	GROUP BY city ORDER BY total DESC LIMIT 3;
SELECT item, day, count(*) FROM sale GROUP BY item, day ORDER BY count(*) DESC, item LIMIT 3;
SELECT name, (SELECT max(price) FROM sale WHERE customer = customer.id) AS best FROM customer
	ORDER BY best DESC, name LIMIT 3;
SELECT count(*) FROM sale WHERE item LIKE '%99' AND price > 50;
.shell tsprof mark update
UPDATE sale SET price = price * 1.1 WHERE day < 30;
DELETE FROM sale WHERE day > 350;
INSERT INTO customer(name, city) VALUES ('one more', 'city 1');
INSERT INTO customer(name, city) VALUES ('and another', 'city 2');
SELECT count(*) FROM no_such_table;
.shell tsprof mark done
