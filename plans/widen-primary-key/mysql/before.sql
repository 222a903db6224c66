CREATE TABLE orders (
    id INT AUTO_INCREMENT PRIMARY KEY,
    customer_id INT NOT NULL,
    code VARCHAR(20) NOT NULL UNIQUE,
    KEY orders_customer (customer_id)
);
